#include "model/task_prefix.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <stdlib.h>

static void no_task(const json_t *tasks, const char *folder, const char *task, Err *e)
{
    Buf list = {0};
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)tasks, name, value)
        buf_fmt(&list, "%s%s", list.n ? ", " : "", name);
    if (list.n)
        err_set(e, "%s has no task '%s': it has %.*s", folder, task, (int)list.n, list.p);
    else
        err_set(e, "%s has no tasks (task_specific_params in config.json): give --prefix", folder);
    free(list.p);
}

char *task_prefix(const char *folder, const char *task, Err *e)
{
    Err why = {0};
    json_t *config = jsonfile_load(folder, "config.json", false, e);
    if (!config)
        return NULL;
    const json_t *tasks = json_object_get(config, "task_specific_params");
    const json_t *params = json_object_get(tasks, task);
    const char *prefix = json_get_str(params, "prefix", "", &why);
    char *found = params ? mem_str(prefix) : NULL;
    if (!params)
        no_task(tasks, folder, task, e);
    json_decref(config);
    return found;
}
