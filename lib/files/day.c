#include "files/day.h"

#include <stdlib.h>

struct day *day_hold(struct day *day)
{
    day->holders++;
    return day;
}

void day_close(struct day *day)
{
    if (!day || day->holders-- > 0)
        return;
    partition_close(day->file);
    free(day);
}
