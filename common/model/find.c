#include "model/find.h"

#include "base/mem.h"
#include "io/jsonfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* NAME or ORG/NAME of letters, digits, '-', '_', '.', with an optional @REV behind it. */
static bool is_name(const char *s)
{
    size_t n = strcspn(s, "@");
    int slashes = 0;
    if (n == 0 || s[0] == '.' || s[0] == '/' || s[0] == '~' || s[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        slashes += s[i] == '/';
        if (!isalnum((unsigned char)s[i]) && !strchr("-_./", s[i]))
            return false;
    }
    return slashes <= 1 && !strstr(s, "..") && (s[n] == '\0' || s[n + 1] != '\0');
}

static char *cache_folder(void)
{
    const char *s;
    if ((s = getenv("HF_HUB_CACHE")) && *s)
        return mem_str(s);
    if ((s = getenv("HF_HOME")) && *s)
        return mem_fmt("%s/hub", s);
    if ((s = getenv("XDG_CACHE_HOME")) && *s)
        return mem_fmt("%s/huggingface/hub", s);
    s = getenv("HOME");
    return mem_fmt("%s/.cache/huggingface/hub", s && *s ? s : ".");
}

/* The commit that a branch or tag stands for: one line in refs/REV. */
static char *commit_of(const char *repo, const char *rev)
{
    char *path = mem_fmt("%s/refs/%s", repo, rev), line[128] = "";
    FILE *f = fopen(path, "re");
    free(path);
    if (!f)
        return mem_str(rev); /* may be a commit itself */
    if (!fgets(line, sizeof line, f))
        line[0] = '\0';
    fclose(f);
    line[strcspn(line, " \t\r\n")] = '\0';
    return mem_str(line);
}

static char *in_cache(const char *name, Err *e)
{
    size_t n = strcspn(name, "@");
    const char *rev = name[n] ? name + n + 1 : "main";
    char *cache = cache_folder();
    Buf repo = {0};
    buf_fmt(&repo, "%s/models--", cache);
    for (size_t i = 0; i < n; i++)
        if (name[i] == '/')
            buf_str(&repo, "--");
        else
            buf_add(&repo, name + i, 1);
    buf_add(&repo, "", 1);
    char *commit = commit_of(repo.p, rev);
    char *folder = mem_fmt("%s/snapshots/%s", repo.p, commit);
    bool there = *commit && !strchr(commit, '/') && is_folder(folder);
    if (!there) {
        err_set(e, "no model '%s': no such folder, and not in %s; bring it with: weft get %s",
                name, cache, name);
        free(folder);
        folder = NULL;
    }
    free(commit);
    free(repo.p);
    free(cache);
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
        if (!path)
            err_sys(e, "%s", name);
        return path;
    }
    if (strcmp(name, "default") == 0) {
        err_set(e, "the model 'default' comes with a later version of weft: give a folder");
        return NULL;
    }
    if (!is_name(name)) {
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
char *model_encoder_folder(const char *folder, Err *e)
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

char *model_tokenizer_folder(const char *folder, Err *e)
{
    return model_encoder_folder(folder, e);
}
