/* pickle_dict.c - dictionaries of tensors: of an archive, and as PyTorch wrote them before 1.6. */
#include "store/pickle_in.h"

#include <stdlib.h>
#include <string.h>

static bool is_tensor(const Node *all, int64_t i)
{
    return all->item[i]->kind == TEXT && all->item[i + 1]->kind == TENSOR;
}

/* Is each name there once? Looked at before they are copied: a name costs an item two bytes. */
static int check_names(const Node *all, Err *e)
{
    NameMap met = {0};
    int status = 0;
    bool fresh;
    for (int64_t i = 0; i + 1 < all->count && status == 0; i += 2) {
        Str name = all->item[i]->text;
        if (is_tensor(all, i) && (namemap_at(&met, name, &fresh), !fresh))
            status = err_set(e, "%.*s is there twice", (int)(name.n < 100 ? name.n : 100), name.p);
    }
    namemap_free(&met);
    return status;
}

/* The result's tensors; what else it holds (a step, a name) is nothing to us. */
static int take_tensors(PickleDict *d, const Node *all, Err *e)
{
    if (check_names(all, e) < 0)
        return -1;
    d->tensor = mem_array((size_t)all->count / 2, sizeof *d->tensor);
    for (int64_t i = 0; i + 1 < all->count; i += 2) {
        if (!is_tensor(all, i))
            continue;
        PickleTensor *t = &d->tensor[d->tensors++];
        *t = *all->item[i + 1]->tensor;
        t->name = mem_strn(all->item[i]->text.p, all->item[i]->text.n);
    }
    return d->tensors ? 0 : err_set(e, "it holds no tensors by name");
}

static int not_whole(Err *e)
{
    return err_set(e, "the dictionary of tensors is broken: was it fetched in full?");
}

int pickle_read(const char *bytes, size_t n, PickleDict *d, Err *e)
{
    Machine m = {.p = (const unsigned char *)bytes, .dict = d, .e = e, .most_memos = n};
    m.end = m.p + n;
    *d = (PickleDict){0};
    const Node *all = pickle_run(&m);
    int status = !all ? -1 : all->kind == DICT ? take_tensors(d, all, e) : not_whole(e);
    pickle_end(&m);
    return status;
}

/* ---- before 1.6 ---- */

/* The magic number 0x1950a86a20f9469cfc6c and the version 1001, each a pickle. */
static const char old_head[] = "\200\2\212\nl\374\234F\371 j\250P\31.\200\2M\351\3.";

bool pickle_is_old(const char *bytes, size_t n)
{
    return n >= sizeof old_head - 1 && memcmp(bytes, old_head, sizeof old_head - 1) == 0;
}

static bool is_text(const Node *n, const char *text)
{
    return n->kind == TEXT && n->text.n == strlen(text) && memcmp(n->text.p, text, n->text.n) == 0;
}

/* What the machine was like that wrote it: {"protocol_version": ..., "little_endian": True, ...} */
static int check_machine(Machine *m)
{
    const Node *all = pickle_run(m);
    if (!all)
        return -1;
    for (int64_t i = 0; all->kind == DICT && i + 1 < all->count; i += 2)
        if (is_text(all->item[i], "little_endian"))
            return all->item[i + 1]->kind == NUMBER && all->item[i + 1]->number
                       ? 0
                       : err_set(m->e, "its numbers have another byte order: little is read");
    return not_whole(m->e);
}

/* The storages' keys, in the order in which their numbers follow. */
static int read_order(Machine *m, NameMap *storages, PickleDict *d)
{
    const Node *keys = pickle_run(m);
    if (!keys)
        return -1;
    if (keys->kind != ITEMS || keys->count != d->storages)
        return not_whole(m->e);
    d->order = mem_array((size_t)d->storages, sizeof *d->order);
    bool *had = mem_zero((size_t)d->storages + 1, sizeof *had), whole = true;
    for (int i = 0; i < d->storages && whole; i++) {
        bool fresh = true;
        const int64_t *at =
            keys->item[i]->kind == TEXT ? namemap_at(storages, keys->item[i]->text, &fresh) : NULL;
        whole = !fresh && !had[*at];
        if (whole)
            had[d->order[i] = (int)*at] = true;
    }
    free(had);
    return whole ? 0 : not_whole(m->e);
}

int pickle_read_old(const char *bytes, size_t n, PickleDict *d, size_t *used, Err *e)
{
    const unsigned char *begin = (const unsigned char *)bytes, *end = begin + n;
    Machine of[3]; /* the machine's, the dictionary's, the keys' */
    for (int i = 0; i < 3; i++)
        of[i] = (Machine){.end = end, .dict = d, .e = e, .most_memos = n};
    *d = (PickleDict){0};
    of[0].p = begin + sizeof old_head - 1;
    int status = check_machine(&of[0]);
    if (status == 0) {
        of[1].p = of[0].p;
        const Node *all = pickle_run(&of[1]);
        status = !all ? -1 : all->kind == DICT ? take_tensors(d, all, e) : not_whole(e);
    }
    if (status == 0) {
        of[2].p = of[1].p;
        status = read_order(&of[2], &of[1].storages, d);
        *used = (size_t)(of[2].p - begin);
    }
    for (int i = 0; i < 3; i++)
        pickle_end(&of[i]);
    return status;
}

void pickle_clear(PickleDict *d)
{
    for (int i = 0; i < d->tensors; i++)
        free(d->tensor[i].name);
    for (int i = 0; i < d->storages; i++)
        free(d->storage[i].key);
    free(d->order);
    free(d->tensor);
    free(d->storage);
    *d = (PickleDict){0};
}
