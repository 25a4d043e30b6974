/*
 * selection - which events: the window of time and the filters that metaspn-replay and metaspn-top share (SPEC section
 * 6).
 *
 *     static const struct option long_options[] = {COMMON_LONG, SELECTION_LONG, SELECTION_CAUSED_BY_LONG, ... {0}};
 *     struct selection selection;
 *     selection_start(&cli, &selection);
 *     for (int c; (c = options_next(...)) != -1;)
 *         if (!selection_option(&cli, &selection, c))
 *             switch (c) { ... the command's own ... }
 *     options_finish(&cli, &options);
 *     selection_finish(&cli, &selection, options.now);
 *
 * Values are checked as they come, times at the end (they count from --now); what is wrong ends the process with
 * exit 2.
 */
#ifndef METASPN_SELECTION_H
#define METASPN_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/timestamp.h"
#include "cli.h"
#include "event/filter.h"
#include "options.h"

enum {
    OPTION_DAY = OPTION_SELECTION,
    OPTION_SOURCE,
    OPTION_TYPE,
    OPTION_ENTITY,
    OPTION_STAGE,
    OPTION_ID,
    OPTION_CAUSED_BY,
    OPTION_WHERE,
    OPTION_RESOLVED,
    OPTION_UNRESOLVED,
};

#define SELECTION_SHORT "S:U:"
/* clang-format off */
#define SELECTION_LONG                                         \
    {"since",      required_argument, NULL, 'S'},               \
    {"until",      required_argument, NULL, 'U'},               \
    {"day",        required_argument, NULL, OPTION_DAY},        \
    {"source",     required_argument, NULL, OPTION_SOURCE},     \
    {"type",       required_argument, NULL, OPTION_TYPE},       \
    {"entity",     required_argument, NULL, OPTION_ENTITY},     \
    {"stage",      required_argument, NULL, OPTION_STAGE},      \
    {"id",         required_argument, NULL, OPTION_ID},         \
    {"where",      required_argument, NULL, OPTION_WHERE},      \
    {"resolved",   no_argument,       NULL, OPTION_RESOLVED},   \
    {"unresolved", no_argument,       NULL, OPTION_UNRESOLVED}
#define SELECTION_CAUSED_BY_LONG {"caused-by", required_argument, NULL, OPTION_CAUSED_BY}
/* clang-format on */

#define SELECTION_HELP                                                                                                 \
    "  -S, --since=T         from T on (a time, a day, today, -2h, @SECONDS ...)\n"                                    \
    "  -U, --until=T         up to T, T included\n"                                                                    \
    "      --day=D           the UTC day D (2026-02-05, today, yesterday)\n"                                           \
    "      --source=S        signals of this source\n"                                                                 \
    "      --type=T          this payload_type or emission_type\n"                                                     \
    "      --entity=E        with this entity: TYPE:VALUE, or a JSON object\n"                                         \
    "      --stage=S         signals whose source is S or begins with S.\n"                                            \
    "      --id=ID           the event with this id\n"                                                                 \
    "      --where=PATH=V    whose payload has V at the dotted PATH\n"                                                 \
    "      --resolved        with an entity, or of a type that resolves one\n"                                         \
    "      --unresolved      the opposite of --resolved\n"
#define SELECTION_CAUSED_BY_HELP "      --caused-by=ID    emissions caused by this event\n"

struct selection {
    struct filter *filter; /* owned */
    struct window window;  /* after selection_finish() */

    const char *since, *until, *day; /* as given; NULL: not given */
    bool resolved, unresolved;
    bool has_caused_by;
};

void selection_start(const struct cli *cli, struct selection *selection);
void selection_release(struct selection *selection);

/* True where `c` (with optarg) is an option of the selection, which it then has taken. */
bool selection_option(const struct cli *cli, struct selection *selection, int c);

/* After the last option: reads the times, and refuses what does not go together. */
void selection_finish(const struct cli *cli, struct selection *selection, int64_t now);

#endif
