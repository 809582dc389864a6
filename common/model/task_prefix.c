#include "model/task_prefix.h"

#include "base/mem.h"
#include "model/find.h"
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

/* Of config_sentence_transformers.json; the caller frees it. *named: which one, NULL: the default.
 * NULL: it has none of that name. */
static char *prompt_of(const char *folder, const char *named, Err *e)
{
    char *home = model_home(folder, e), *found = NULL;
    Err why = {0};
    json_t *config =
        home ? jsonfile_load(home, "config_sentence_transformers.json", true, e) : NULL;
    const json_t *prompts = json_object_get(config, "prompts");
    const char *name = named ? named : json_get_str(config, "default_prompt_name", NULL, &why);
    const char *text = name ? json_get_str(prompts, name, NULL, &why) : NULL;
    if (text)
        found = mem_str(text);
    else if (name && !named && !why.text[0])
        err_set(&why, "default_prompt_name '%s' is none of the prompts", name);
    if (why.text[0])
        err_set(e, "%s/config_sentence_transformers.json: %s", home, why.text);
    json_decref(config);
    free(home);
    return found;
}

char *default_prefix(const char *folder, Err *e)
{
    return prompt_of(folder, NULL, e);
}

char *task_prefix(const char *folder, const char *task, Err *e)
{
    Err why = {0};
    char *home = model_tokenizer_folder(folder, e);
    json_t *config = home ? jsonfile_load(home, "config.json", true, e) : NULL;
    free(home);
    if (e->text[0]) /* without the file, as of static embeddings, there may be prompts */
        return NULL;
    const json_t *tasks = json_object_get(config, "task_specific_params");
    const json_t *params = json_object_get(tasks, task);
    const char *prefix = json_get_str(params, "prefix", "", &why);
    char *found = params ? mem_str(prefix) : prompt_of(folder, task, e);
    if (!found && !e->text[0])
        no_task(tasks, folder, task, e);
    json_decref(config);
    return found;
}
