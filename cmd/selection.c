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

bool selection_option(const struct cli *cli, struct selection *selection, int c)
{
    struct filter *filter = selection->filter;
    struct error err;
    enum status status = STATUS_OK;
    switch (c) {
    case OPTION_SOURCE:
        status = filter_add(filter, FILTER_SOURCE, optarg, &err);
        break;
    case OPTION_TYPE:
        status = filter_add(filter, FILTER_TYPE, optarg, &err);
        break;
    case OPTION_STAGE:
        status = filter_add(filter, FILTER_STAGE, optarg, &err);
        break;
    case OPTION_ID:
        status = filter_add(filter, FILTER_ID, optarg, &err);
        break;
    case OPTION_CAUSED_BY:
        status = filter_add(filter, FILTER_CAUSED_BY, optarg, &err);
        selection->has_caused_by = true;
        break;
    case OPTION_ENTITY:
        status = filter_add_entity(filter, optarg, &err);
        break;
    case OPTION_WHERE:
        status = filter_add_where(filter, optarg, &err);
        break;
    case 'S':
        selection->since = optarg;
        break;
    case 'U':
        selection->until = optarg;
        break;
    case OPTION_DAY:
        selection->day = optarg;
        break;
    case OPTION_RESOLVED:
        selection->resolved = true;
        break;
    case OPTION_UNRESOLVED:
        selection->unresolved = true;
        break;
    default:
        return false;
    }
    if (status != STATUS_OK)
        cli_die(cli, status, &err);
    return true;
}

void selection_finish(const struct cli *cli, struct selection *selection, int64_t now)
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
    if (selection->resolved && selection->unresolved)
        cli_usage(cli, "--resolved does not go with --unresolved");
    if (selection->resolved || selection->unresolved)
        filter_set_resolution(selection->filter, selection->resolved ? FILTER_RESOLVED : FILTER_UNRESOLVED);
}
