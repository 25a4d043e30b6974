#include "samples.h"

#include "fuzz.h"

enum kind_of_sample { OF_MEMBER, OF_ENTITY, OF_WHERE, OF_NUMBER, OF_RESOLUTION };

static const struct sample {
    enum kind_of_sample of;
    int which;
    const char *value;
} samples[SAMPLE_FILTERS] = {
    {OF_MEMBER, FILTER_SOURCE, "a.b"},
    {OF_MEMBER, FILTER_TYPE, "PostSeen"},
    {OF_MEMBER, FILTER_STAGE, "a"},
    {OF_MEMBER, FILTER_ID, "s\"1"},
    {OF_MEMBER, FILTER_CAUSED_BY, "\xc3\xa9"},
    {OF_ENTITY, 0, "user:u1"},
    {OF_ENTITY, 0, "{\"ref_type\":\"user\",\"value\":\"u1\",\"platform\":\"x\"}"},
    {OF_ENTITY, 0, "{\"label\":null,\"n\":1.0}"},
    {OF_WHERE, 0, "a=1"},
    {OF_WHERE, 0, "a.b=true"},
    {OF_WHERE, 0, "a.b=x\\y"},
    {OF_NUMBER, 0, "a.b"},
    {OF_RESOLUTION, FILTER_RESOLVED, NULL},
    {OF_RESOLUTION, FILTER_UNRESOLVED, NULL},
};

static struct filter *make_filter(const struct sample *sample)
{
    enum status status = STATUS_OK;
    struct filter *filter = filter_new();
    require(filter);
    switch (sample->of) {
    case OF_MEMBER:
        status = filter_add(filter, (enum filter_member)sample->which, sample->value, NULL);
        break;
    case OF_ENTITY:
        status = filter_add_entity(filter, sample->value, NULL);
        break;
    case OF_WHERE:
        status = filter_add_where(filter, sample->value, NULL);
        break;
    case OF_NUMBER:
        status = filter_add_number(filter, sample->value, NULL);
        break;
    case OF_RESOLUTION:
        filter_set_resolution(filter, (enum filter_resolution)sample->which);
        break;
    }
    require(status == STATUS_OK);
    return filter;
}

struct filter *sample_filter(size_t number)
{
    static struct filter *made[SAMPLE_FILTERS];
    if (!made[number])
        made[number] = make_filter(&samples[number]);
    return made[number];
}
