#include "json/internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The place after at least one digit, or NULL. */
static const char *some_digits(const char *at, const char *end)
{
    const char *start = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > start ? at : NULL;
}

const char *json_number_end(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    if (at < end && *at == '0')
        at++;
    else if (!(at = some_digits(at, end)))
        return NULL;
    if (at < end && *at == '.' && !(at = some_digits(at + 1, end)))
        return NULL;
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = some_digits(at, end);
    }
    return at;
}

bool json_is_number(const char *text, size_t length)
{
    return json_number_end(text, text + length) == text + length && length > 0;
}

/*
 * A number taken apart: 0.DIGITS times ten to the power of (exponent + shift), where DIGITS are the digits (and
 * perhaps a point) in [first, last], neither beginning nor ending with a zero.
 */
struct decimal {
    bool negative, zero;
    const char *first, *last;
    struct json_text exponent; /* digits of the written exponent, without leading zeros */
    bool exponent_negative;
    ptrdiff_t shift;
};

static struct decimal take_apart(struct json_text number)
{
    const char *at = number.data, *end = number.data + number.length;
    struct decimal d = {.negative = *at == '-', .exponent = {end, 0}};
    at += d.negative;
    const char *stop = at, *point = NULL;
    for (; stop < end && *stop != 'e' && *stop != 'E'; stop++)
        if (*stop == '.')
            point = stop;
    if (stop < end) {
        const char *exponent = stop + 1;
        d.exponent_negative = *exponent == '-';
        exponent += *exponent == '-' || *exponent == '+';
        while (exponent < end && *exponent == '0')
            exponent++;
        d.exponent = (struct json_text){exponent, (size_t)(end - exponent)};
    }
    d.first = at;
    while (d.first < stop && (*d.first == '0' || *d.first == '.'))
        d.first++;
    d.last = stop - 1;
    while (d.last > d.first && (*d.last == '0' || *d.last == '.'))
        d.last--;
    d.zero = d.first == stop;
    if (!point)
        point = stop;
    d.shift = point > d.first ? point - d.first : point - d.first + 1;
    return d;
}

static bool same_digits(const struct decimal *a, const struct decimal *b)
{
    const char *x = a->first, *y = b->first;
    for (; x <= a->last && y <= b->last; x++, y++) {
        x += *x == '.';
        y += *y == '.';
        if (*x != *y)
            return false;
    }
    return x > a->last && y > b->last;
}

/* Digit `i` from the left of a number of `width` digits that is padded with zeros in front, with its sign. */
static int64_t signed_digit(const struct decimal *d, size_t i, size_t width)
{
    size_t padding = width - d->exponent.length;
    int64_t digit = i < padding ? 0 : d->exponent.data[i - padding] - '0';
    return d->exponent_negative ? -digit : digit;
}

/* The written exponents may have any number of digits, so their difference is made digit by digit. */
static bool same_exponent(const struct decimal *a, const struct decimal *b)
{
    size_t width = a->exponent.length > b->exponent.length ? a->exponent.length : b->exponent.length;
    int64_t wanted = (int64_t)b->shift - (int64_t)a->shift, difference = 0;
    for (size_t i = 0; i < width; i++) {
        difference = 10 * difference + signed_digit(a, i, width) - signed_digit(b, i, width);
        if (difference > INT64_MAX / 16 || difference < INT64_MIN / 16)
            return false; /* it can only grow, and no shift is as great */
    }
    return difference == wanted;
}

bool json_number_same(struct json_text a, struct json_text b)
{
    /* NaN, an infinity, or bytes that changed since they were known to be good */
    if (!json_is_number(a.data, a.length) || !json_is_number(b.data, b.length))
        return a.data[0] != 'N' && a.length == b.length && memcmp(a.data, b.data, a.length) == 0;
    struct decimal x = take_apart(a), y = take_apart(b);
    if (x.zero || y.zero)
        return x.zero && y.zero;
    return x.negative == y.negative && same_digits(&x, &y) && same_exponent(&x, &y);
}

#define EXACT_DIGITS 800 /* no two doubles, nor the middle between them, differ only after so many digits */

/* The written exponent, cut off far beyond what a double can be. */
static int64_t exponent_value(const struct decimal *d)
{
    int64_t value = 0;
    for (size_t i = 0; i < d->exponent.length && value < INT64_MAX / 64; i++)
        value = 10 * value + (d->exponent.data[i] - '0');
    return d->exponent_negative ? -value : value;
}

/* Without a decimal point there is nothing in it that a locale could change. */
static double value_by_library(const struct decimal *d, int64_t exponent)
{
    char text[EXACT_DIGITS + 32], *out = text;
    const char *at = d->first;
    for (; at <= d->last && out < text + EXACT_DIGITS; at++)
        if (*at != '.')
            *out++ = *at;
    exponent -= out - text;
    if (at <= d->last) { /* what is cut off is not zero */
        *out++ = '1';
        exponent--;
    }
    snprintf(out, (size_t)(text + sizeof text - out), "e%" PRId64, exponent);
    return strtod(text, NULL);
}

/* True where the digits and the power of ten are both exact as doubles, so that one operation rounds right. */
static bool value_exactly(const struct decimal *d, int64_t exponent, double *ret_value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->last - d->first > 15)
        return false;
    uint64_t digits = 0;
    for (const char *at = d->first; at <= d->last; at++)
        if (*at != '.') {
            digits = 10 * digits + (uint64_t)(*at - '0');
            exponent--;
        }
    if (exponent < -22 || exponent > 22 || digits > (uint64_t)1 << 53)
        return false;
    *ret_value = exponent < 0 ? (double)digits / powers[-exponent] : (double)digits * powers[exponent];
    return true;
}

double json_number_to_double(struct json_text number)
{
    if (!json_is_number(number.data, number.length)) {
        if (number.data[number.length - 1] != 'y')
            return (double)NAN;
        return number.data[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    }
    struct decimal d = take_apart(number);
    double value = 0;
    if (!d.zero) {
        int64_t exponent = exponent_value(&d) + d.shift;
        if (!value_exactly(&d, exponent, &value))
            value = value_by_library(&d, exponent);
    }
    return d.negative ? -value : value;
}
