/*
 * hash - 64-bit hashes of bytes (XXH3), for keys of the derived index and for tables in memory.
 *
 * The same bytes and seed give the same hash on every machine and in every version: what is on disk may rely on it.
 * A hash is never a proof: whoever finds one compares the bytes.
 */
#ifndef METASPN_BASE_HASH_H
#define METASPN_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash_bytes(const void *data, size_t length, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, length, seed);
}

#endif
