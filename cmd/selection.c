#include "selection.h"

void selection_start(const struct cli *cli, struct selection *selection)
{
    *selection = (struct selection){.window = WINDOW_ALL, .filter = filter_new()};
    struct error err;
    if (!selection->filter)
        cli_die(cli, error_set_memory(&err), &err);
}

void selection_release(struct selection *selection)
{
    filter_free(selection->filter);
    selection->filter = NULL;
}

/* True where `c` is an option that adds a value to the filter. */
static bool filter_option(struct filter *filter, int c, enum status *ret_status, struct error *err)
{
    switch (c) {
    case OPTION_SOURCE:
        *ret_status = filter_add(filter, FILTER_SOURCE, optarg, err);
        return true;
    case OPTION_TYPE:
        *ret_status = filter_add(filter, FILTER_TYPE, optarg, err);
        return true;
    case OPTION_STAGE:
        *ret_status = filter_add(filter, FILTER_STAGE, optarg, err);
        return true;
    case OPTION_ID:
        *ret_status = filter_add(filter, FILTER_ID, optarg, err);
        return true;
    case OPTION_CAUSED_BY:
        *ret_status = filter_add(filter, FILTER_CAUSED_BY, optarg, err);
        return true;
    case OPTION_ENTITY:
        *ret_status = filter_add_entity(filter, optarg, err);
        return true;
    case OPTION_WHERE:
        *ret_status = filter_add_where(filter, optarg, err);
        return true;
    default:
        return false;
    }
}

bool selection_option(const struct cli *cli, struct selection *selection, int c)
{
    struct error err;
    enum status status = STATUS_OK;
    if (filter_option(selection->filter, c, &status, &err)) {
        if (status != STATUS_OK)
            cli_die(cli, status, &err);
        selection->has_caused_by |= c == OPTION_CAUSED_BY;
        return true;
    }
    switch (c) {
    case 'S':
        selection->since = optarg;
        return true;
    case 'U':
        selection->until = optarg;
        return true;
    case OPTION_DAY:
        selection->day = optarg;
        return true;
    case OPTION_RESOLVED:
        selection->resolved = true;
        return true;
    case OPTION_UNRESOLVED:
        selection->unresolved = true;
        return true;
    default:
        return false;
    }
}

static void finish_window(const struct cli *cli, struct selection *selection, int64_t now)
{
    struct window *window = &selection->window;
    if (selection->day && (selection->since || selection->until))
        cli_usage(cli, "--day does not go with --since or --until");
    if (selection->day) {
        int32_t day = options_day(cli, "--day", selection->day, now);
        *window = (struct window){day_first(day), day_last(day)};
    }
    if (selection->since)
        window->since = options_time(cli, "--since", selection->since, now, false);
    if (selection->until)
        window->until = options_time(cli, "--until", selection->until, now, true);
    if (window->until < window->since) {
        char since[TIMESTAMP_TEXT_SIZE], until[TIMESTAMP_TEXT_SIZE];
        timestamp_format(window->since, since);
        timestamp_format(window->until, until);
        cli_usage(cli, "--until (%s) is before --since (%s)", until, since);
    }
}

void selection_finish(const struct cli *cli, struct selection *selection, int64_t now)
{
    finish_window(cli, selection, now);
    if (selection->resolved && selection->unresolved)
        cli_usage(cli, "--resolved does not go with --unresolved");
    if (selection->resolved || selection->unresolved)
        filter_set_resolution(selection->filter, selection->resolved ? FILTER_RESOLVED : FILTER_UNRESOLVED);
}
