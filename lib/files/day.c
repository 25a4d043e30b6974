#include "files/day.h"

#include <stdlib.h>

void day_close(struct day *day)
{
    if (!day)
        return;
    partition_close(day->file);
    free(day);
}
