#include "model/find.h"

#include "base/mem.h"
#include "hub/cache.h"
#include "model/modules.h"
#include "store/jsonfile.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Where the model that comes with weft lies, seen from the programs: installed, in the source tree,
 * and in a build of its own there. */
static char *default_folder(Err *e)
{
    static const char *const from[] = {"../../share/weft/default", "../share/default",
                                       "../../share/default", "../../../share/default"};
    char self[PATH_MAX], *found = NULL;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;
    if (!slash) {
        err_sys(e, "/proc/self/exe");
        return NULL;
    }
    *slash = '\0';
    for (size_t i = 0; i < sizeof from / sizeof *from && !found; i++) {
        char *path = mem_fmt("%s/%s", self, from[i]);
        if (file_exists(path, "config.json") && !(found = realpath(path, NULL)) && errno == ENOMEM)
            mem_got(found, 0);
        free(path);
    }
    if (!found)
        err_set(e, "no model 'default' in %s/%s: `make install` puts it there", self, from[0]);
    return found;
}

/* `default`, unless a model of that name lies here. */
static bool is_default(const char *name)
{
    return strcmp(name, "default") == 0 && !file_exists(name, "config.json");
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
        err_set(e, "no model: give one with -m FOLDER, -m ORG/NAME or -m default, or set "
                   "WEFT_MODEL");
        return NULL;
    }
    if (is_default(name))
        return default_folder(e);
    if (is_folder(name)) {
        char *path = realpath(name, NULL);
        if (!path && errno == ENOMEM)
            mem_got(path, 0);
        if (!path)
            err_sys(e, "%s", name);
        return path;
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
    return mem_str(!name || (is_folder(name) && !is_default(name)) ? folder : name);
}

/* Both were moved: the encoder lies where it lay as seen from the head. */
static char *beside(const char *folder, const json_t *encoder)
{
    Err none = {0};
    const char *way = json_get_str(encoder, "relative", NULL, &none);
    char *path = way ? mem_fmt("%s/%s", folder, way) : NULL, *found = NULL;
    if (path && is_folder(path) && !(found = realpath(path, NULL)) && errno == ENOMEM)
        mem_got(found, 0);
    free(path);
    return found;
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
        else if (!(found = model_find(model, &why)) && !(found = beside(folder, encoder))) {
            *e = why;
            err_at(e, "%s was trained on another model's vectors", folder);
        }
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
