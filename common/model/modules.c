#include "model/modules.h"

#include "base/mem.h"
#include "store/jsonfile.h"

#include <stdlib.h>
#include <string.h>

enum { MODULES_MOST = 32 };

/* The last word of a module's type, as any version writes it: the first ones of all had a class
 * for each architecture. */
static const struct {
    const char *class;
    ModuleKind kind;
} kinds[] = {
    {"Transformer", MODULE_TRANSFORMER}, {"StaticEmbedding", MODULE_STATIC},
    {"Pooling", MODULE_POOLING},         {"Dense", MODULE_DENSE},
    {"LayerNorm", MODULE_LAYER_NORM},    {"Normalize", MODULE_NORMALIZE},
    {"Dropout", MODULE_NOTHING},         {"ALBERT", MODULE_TRANSFORMER},
    {"BERT", MODULE_TRANSFORMER},        {"CamemBERT", MODULE_TRANSFORMER},
    {"DistilBERT", MODULE_TRANSFORMER},  {"RoBERTa", MODULE_TRANSFORMER},
    {"XLMRoBERTa", MODULE_TRANSFORMER},
};

static int kind_of(const char *type)
{
    const char *dot = strrchr(type, '.'), *class = dot ? dot + 1 : type;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(class, kinds[i].class) == 0)
            return (int)kinds[i].kind;
    return -1;
}

/* Below the folder, or the folder itself. */
static bool stays_below(const char *path)
{
    for (const char *p = path; *p; p += strcspn(p, "/"), p += *p == '/')
        if (strcspn(p, "/") == 0 || (strncmp(p, "..", 2) == 0 && strcspn(p, "/") == 2))
            return false;
    return true;
}

static int add(Modules *m, const char *folder, const json_t *o, Err *e)
{
    const char *type = json_get_str(o, "type", "", e), *path = json_get_str(o, "path", "", e);
    int kind = kind_of(type);
    if (e->text[0])
        return -1;
    if (kind < 0)
        return err_set(
            e,
            "module '%s' is not supported (Transformer, StaticEmbedding, Pooling, Dense, "
            "LayerNorm, Normalize and Dropout are)",
            type);
    bool first = kind == MODULE_TRANSFORMER || kind == MODULE_STATIC;
    if (first != (m->count == 0))
        return err_set(e,
                       "module '%s' stands at place %d: a Transformer or a StaticEmbedding is to "
                       "be the first, and the only one",
                       type, m->count + 1);
    if (kind == MODULE_POOLING && m->module[0].kind == MODULE_STATIC)
        return err_set(e, "module '%s' has no tokens to pool behind a StaticEmbedding", type);
    if (strcmp(path, ".") == 0)
        path = "";
    if (!stays_below(path))
        return err_set(e, "the path '%s' leads out of the folder", path);
    m->module[m->count++] =
        (Module){(ModuleKind)kind, *path ? mem_fmt("%s/%s", folder, path) : mem_str(folder)};
    return 0;
}

int modules_read(const char *folder, Modules *m, Err *e)
{
    Err why = {0};
    json_t *list = jsonfile_load(folder, "modules.json", true, &why), *o;
    size_t i, n = json_array_size(list);
    *m = (Modules){0};
    if (why.text[0])
        return err_set(e, "%s", why.text);
    if (list && (!n || n > MODULES_MOST))
        err_set(&why, "no list of 1 to %d modules", MODULES_MOST);
    m->module = mem_zero(MODULES_MOST, sizeof *m->module);
    json_array_foreach(list, i, o) {
        if (!why.text[0])
            add(m, folder, o, &why);
    }
    json_decref(list);
    return why.text[0] ? err_set(e, "%s/modules.json: %s", folder, why.text) : 0;
}

void modules_clear(Modules *m)
{
    for (int i = 0; i < m->count; i++)
        free(m->module[i].path);
    free(m->module);
    *m = (Modules){0};
}
