#include "hub/repo_files.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <stdlib.h>
#include <string.h>

static const char *const small[] = {
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "spm.model",
    "source.spm",
    "target.spm",
    "modules.json",
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "config_sentence_transformers.json",
};

/* The first that is there is taken. */
static const char *const weights[] = {
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
};

#define COUNT(a) (sizeof(a) / sizeof *(a))

bool names_has(const NameList *l, const char *name)
{
    return namemap_has(&l->names, str_of(name, strlen(name)));
}

void names_add(NameList *l, const char *name)
{
    bool fresh;
    if (names_has(l, name))
        return;
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->name = mem_resize(l->name, (size_t)l->room, sizeof *l->name);
    }
    name = l->name[l->n++] = mem_str(name);
    namemap_at(&l->names, str_of(name, strlen(name)), &fresh);
}

void names_free(NameList *l)
{
    namemap_free(&l->names);
    for (int i = 0; i < l->n; i++)
        free(l->name[i]);
    free(l->name);
    *l = (NameList){0};
}

/* PATH/NAME of the small ones, and of the weights that are there first. */
static void add_folder(NameList *want, const NameList *all, const char *path)
{
    bool had = false;
    for (size_t i = 0; i < COUNT(small) + COUNT(weights); i++) {
        bool heavy = i >= COUNT(small);
        char *name = mem_fmt("%s/%s", path, heavy ? weights[i - COUNT(small)] : small[i]);
        if (names_has(all, name) && !(heavy && had))
            names_add(want, name);
        had = had || (heavy && names_has(all, name));
        free(name);
    }
}

/* A path below the folder it is put in. */
static bool stays_below(const char *s)
{
    if (!*s || *s == '/' || strchr(s, '\\'))
        return false;
    for (const char *p = s; *p; p += strcspn(p, "/"), p += *p == '/') {
        size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
    }
    for (const char *p = s; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

int repo_files_listed(NameList *all, const json_t *info, Err *e)
{
    const json_t *list = json_object_get(info, "siblings");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_get_str(json_array_get(list, i), "rfilename", "", NULL);
        if (!stays_below(name))
            return err_set(e, "the hub lists a file '%.200s', which leads out of its folder", name);
        names_add(all, name);
    }
    return 0;
}

int repo_files_wanted(NameList *want, const NameList *all, Err *e)
{
    for (size_t i = 0; i < COUNT(small); i++)
        if (names_has(all, small[i]))
            names_add(want, small[i]);
    bool modules = names_has(all, "modules.json"); /* which may have all in folders of their own */
    if (!names_has(all, "config.json") && !modules)
        return err_set(e, "no config.json in it: it is not a model that weft can read");
    for (size_t i = 0; i < COUNT(weights); i++)
        if (names_has(all, weights[i])) {
            names_add(want, weights[i]);
            return 0;
        }
    return modules
               ? 0
               : err_set(e, "no weights that weft can read in it: neither model.safetensors nor "
                            "pytorch_model.bin");
}

static int add_known(NameList *want, const NameList *all, const char *name, const char *by, Err *e)
{
    if (!names_has(all, name))
        return err_set(e, "%s names '%.200s', which the repository lacks", by, name);
    names_add(want, name);
    return 0;
}

/* Beside the index, which may be in a folder. */
static int add_shards(NameList *want, const NameList *all, const json_t *index, const char *by,
                      Err *e)
{
    const char *tensor;
    json_t *file;
    json_object_foreach(json_object_get((json_t *)index, "weight_map"), tensor, file) {
        const char *slash = strrchr(by, '/'), *name = json_string_value(file);
        char *path = name ? mem_fmt("%.*s%s", slash ? (int)(slash - by) + 1 : 0, by, name) : NULL;
        int bad = !path || add_known(want, all, path, by, e) < 0;
        free(path);
        if (bad)
            return e->text[0] ? -1 : err_set(e, "%s: no file for '%.100s'", by, tensor);
    }
    return 0;
}

static int add_modules(NameList *want, const NameList *all, const json_t *modules)
{
    for (size_t i = 0; i < json_array_size(modules); i++) {
        const char *path = json_get_str(json_array_get(modules, i), "path", "", NULL);
        if (*path)
            add_folder(want, all, path);
    }
    return 0;
}

int repo_files_more(NameList *want, const NameList *all, const char *folder, const char *name,
                    Err *e)
{
    size_t n = strlen(name);
    bool index = n > 11 && strcmp(name + n - 11, ".index.json") == 0;
    if (!index && strcmp(name, "modules.json") != 0)
        return 0;
    json_t *j = jsonfile_load(folder, name, false, e);
    if (!j)
        return -1;
    int status = index ? add_shards(want, all, j, name, e) : add_modules(want, all, j);
    json_decref(j);
    return status;
}
