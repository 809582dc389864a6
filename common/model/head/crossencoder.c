#include "model/head/crossencoder.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <string.h>

/* "Sigmoid" of torch.nn.modules.activation.Sigmoid; CrossEncoder trusts no other package. */
static char *class_of(const char *path)
{
    return path && strncmp(path, "torch.", strlen("torch.")) == 0 ? mem_str(strrchr(path, '.') + 1)
                                                                  : NULL;
}

static char *read_saved(const char *folder, bool *said, Err *e)
{
    json_t *saved = jsonfile_load(folder, "config_sentence_transformers.json", true, e);
    const char *path = json_get_str(saved, "activation_fn", NULL, e);
    char *class = class_of(path);
    *said = path != NULL;
    if (e->text[0] && saved)
        err_at(e, "%s/config_sentence_transformers.json", folder);
    json_decref(saved);
    return class;
}

static char *read_config(const char *folder, Err *e)
{
    json_t *config = jsonfile_load(folder, "config.json", false, e);
    const json_t *own = json_object_get(config, "sentence_transformers");
    const char *path = json_get_str(own, "activation_fn", NULL, e);
    if (!path && config && !e->text[0])
        path = json_get_str(config, "sbert_ce_default_activation_function", NULL, e);
    char *class = class_of(path);
    if (e->text[0] && config)
        err_at(e, "%s/config.json", folder);
    json_decref(config);
    return class;
}

char *crossencoder_activation(const char *folder, Err *e)
{
    bool said;
    char *class = read_saved(folder, &said, e);
    return said || e->text[0] ? class : read_config(folder, e);
}
