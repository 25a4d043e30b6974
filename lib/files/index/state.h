/*
 * state - an open index and the files on its disk: for the files of this room, and its test.
 *
 * state.c keeps what is in memory; find.c looks up, merge.c takes in what is staged, load.c reads the disk, commit.c
 * writes it, open.c opens and closes.
 */
#ifndef METASPN_FILES_INDEX_STATE_H
#define METASPN_FILES_INDEX_STATE_H

#include "base/io.h"
#include "files/index/index.h"

/* Where the entries of a run can be found again. */
enum run_home { RUN_IN_MANIFEST, RUN_IN_LOG, RUN_UNCOMMITTED };

struct table_run {
    struct run *run; /* owned */
    enum run_home home;
};

struct table {
    struct table_run *runs;
    size_t count, capacity;
    struct entries staged;  /* not merged */
    struct entries passing; /* volatile */
};

struct index {
    int directory; /* of index/; -1: none */
    int lock;      /* descriptor of the lock file; -1: commits do not reach the disk */
    bool locked;
    bool refs_left_out; /* some bytes that the facts know of have no entries in INDEX_REFS */
    bool replace;       /* what is on disk is of no use: the next commit writes a new manifest */
    bool abandoned;     /* what is in memory is incomplete */
    bool unreadable;    /* a file could not be read when it was loaded */
    char trouble[256];
    uint64_t seed, boot;
    uint64_t manifest;     /* number of the manifest that was loaded; 0: none */
    uint64_t log_length;   /* bytes of the log that are in memory */
    uint64_t log_checksum; /* of its last frame */
    uint64_t added;        /* entries that this handle committed: what it may spend on merging */
    struct table tables[INDEX_TABLES];
    struct partition_facts *facts; /* owned, ascending by partition */
    bool *dirty;                   /* owned: facts[i] is not committed */
    size_t facts_count, facts_capacity, dirty_capacity;
};

/* The manifest: this, then the records of the runs, then the facts. */
#define INDEX_MANIFEST_MAGIC UINT64_C(0x31584449504e534d) /* "MSNPIDX1" */
#define INDEX_VERSION        1
struct manifest {
    uint64_t magic, version, facts_size, number, seed, boot;
    uint64_t runs[INDEX_TABLES];
    uint64_t facts;
    uint64_t checksum; /* of the whole file, this field being 0 */
};

struct run_record {
    uint64_t number, count;
};

struct frame {
    uint64_t magic, length, boot;
    uint64_t entries[INDEX_TABLES];
    uint64_t facts;
    uint64_t checksum; /* of the whole frame, this field being 0; seeded with the checksum of the frame before */
};

#define INDEX_FRAME_MAGIC UINT64_C(0x31474f4c504e534d) /* "MSNPLOG1" */
/* The checksum of a frame: of its header with the checksum 0, then of what follows. */
uint64_t index_frame_checksum(const char *data, uint64_t seed);

extern const char *const index_table_names[INDEX_TABLES];

/* Takes over `run`, in any case. */
enum status table_add_run(struct table *table, struct run *run, enum run_home home, struct error *err);
/* Puts the last runs together where they are small and in memory, so that those of slow producers are not thousands. */
enum status table_join_runs(struct table *table, struct error *err);
/* Everything in memory is forgotten; directory and lock stay. */
void index_clear(struct index *index);
/* Stores facts; `dirty`: they are not committed yet. */
enum status index_store_facts(struct index *index, const struct partition_facts *facts, bool dirty, struct error *err);
/* The position is of its partition's present generation, and within what is known. */
bool index_value_is_current(const struct index *index, uint64_t value);
/* "ids-0123456789abcdef" */
#define INDEX_RUN_NAME_SIZE 32
void index_run_name(const char *table, uint64_t number, char buffer[static INDEX_RUN_NAME_SIZE]);
void index_log_name(uint64_t number, char buffer[static INDEX_RUN_NAME_SIZE]);
/* A new run file out of runs; `clean` leaves out entries of older generations. *ret_run is open. */
enum status index_write_run(struct index *index, enum index_table table, struct run *const *runs, size_t count,
                            bool clean, struct run **ret_run, struct error *err);

uint64_t index_random_number(void);
/* Staged entries, runs or facts that no other process can see. */
bool index_has_uncommitted(const struct index *index);
/* Others committed since this handle loaded. */
bool index_is_outdated(const struct index *index);
/* Loads manifest and log. Damage leaves the index empty, with `replace` and `trouble` set. STATUS_IO: no memory. */
enum status index_load(struct index *index, struct error *err);
void index_set_trouble(struct index *index, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
