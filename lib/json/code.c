#include "json/internal.h"

atomic_int json_first_code;

void json_use(enum json_code code)
{
    atomic_store_explicit(&json_first_code, (int)code, memory_order_relaxed);
}
