#include "model/find.h"

#include "base/mem.h"
#include "hub/cache.h"
#include "model/modules.h"
#include "store/jsonfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static char *in_cache(const char *name, Err *e)
{
    char *folder = cache_snapshot(name);
    if (!folder) {
        char *cache = cache_folder();
        err_set(e, "no model '%s': no such folder, and not in %s; bring it with: weft get %s", name,
                cache, name);
        free(cache);
    }
    return folder;
}

static const char *wanted(const char *given)
{
    if (given)
        return given;
    const char *s = getenv("WEFT_MODEL");
    return s && *s ? s : NULL;
}

char *model_find(const char *given, Err *e)
{
    const char *name = wanted(given);
    if (!name) {
        err_set(e, "no model: give one with -m FOLDER or -m ORG/NAME, or set WEFT_MODEL");
        return NULL;
    }
    if (is_folder(name)) {
        char *path = realpath(name, NULL);
        if (!path && errno == ENOMEM)
            mem_got(path, 0);
        if (!path)
            err_sys(e, "%s", name);
        return path;
    }
    if (strcmp(name, "default") == 0) {
        err_set(e, "the model 'default' comes with a later version of weft: give a folder");
        return NULL;
    }
    if (!cache_is_name(name)) {
        errno = errno == EACCES ? EACCES : ENOENT;
        err_sys(e, "model folder '%s'", name);
        return NULL;
    }
    return in_cache(name, e);
}

char *model_name(const char *given, const char *folder)
{
    const char *name = wanted(given);
    return mem_str(!name || is_folder(name) ? folder : name);
}

/* Follows encoder.model of a config.json that `train` wrote. */
char *model_home(const char *folder, Err *e)
{
    Err why = {0};
    json_t *config = jsonfile_load(folder, "config.json", true, &why);
    const char *type = json_get_str(config, "model_type", "", &why);
    char *found = NULL;
    if (!config && why.text[0]) {
        err_set(e, "%s", why.text);
        return NULL;
    }
    if (strcmp(type, "weft-head") != 0) {
        found = mem_str(folder);
    } else {
        const json_t *encoder = json_object_get(config, "encoder");
        const char *model = json_get_str(encoder, "model", NULL, &why);
        if (!model)
            err_set(e, "%s/config.json: no encoder.model: which encoder is it for?", folder);
        else if (!(found = model_find(model, e)))
            err_at(e, "%s was trained on another model's vectors", folder);
    }
    json_decref(config);
    return found;
}

char *model_encoder_folder(const char *folder, Err *e)
{
    Modules m;
    char *home = model_home(folder, e), *found = NULL;
    if (home && modules_read(home, &m, e) == 0)
        found = mem_str(m.count ? m.module[0].path : home);
    if (home)
        modules_clear(&m);
    free(home);
    return found;
}

char *model_tokenizer_folder(const char *folder, Err *e)
{
    return model_encoder_folder(folder, e);
}
