#include "store/pickle_in.h"

#include <stdlib.h>
#include <string.h>

/* The names that a tensor dictionary is made with. */
enum { ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER, STORAGES };
static const struct {
    const char *module, *name;
    DType type;
} names[] = {
    [ORDERED_DICT] = {"collections", "OrderedDict", DT_COUNT},
    [REBUILD_TENSOR] = {"torch._utils", "_rebuild_tensor_v2", DT_COUNT},
    [REBUILD_PARAMETER] = {"torch._utils", "_rebuild_parameter", DT_COUNT},
    [STORAGES] = {"torch", "FloatStorage", DT_F32},
    {"torch", "HalfStorage", DT_F16},
    {"torch", "BFloat16Storage", DT_BF16},
    {"torch", "DoubleStorage", DT_F64},
    {"torch", "LongStorage", DT_I64},
    {"torch", "IntStorage", DT_I32},
    {"torch", "ShortStorage", DT_I16},
    {"torch", "CharStorage", DT_I8},
    {"torch", "ByteStorage", DT_U8},
    {"torch", "BoolStorage", DT_BOOL},
};

/* ---- values ---- */

static Node *make(Machine *m, Kind kind)
{
    Node *n = mem_zero(1, sizeof *n);
    n->kind = kind;
    n->made = m->made;
    return m->made = n;
}

static void append(Node *list, Node *item)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 4;
        list->item = mem_resize(list->item, (size_t)list->room, sizeof *list->item);
    }
    list->item[list->count++] = item;
}

static int push(Machine *m, Node *n)
{
    if (m->depth == m->stack_room) {
        m->stack_room = m->stack_room ? 2 * m->stack_room : 64;
        m->stack = mem_resize(m->stack, m->stack_room, sizeof *m->stack);
    }
    m->stack[m->depth++] = n;
    return 0;
}

static int broken(Machine *m)
{
    return err_set(m->e, "the dictionary of tensors is broken: was it fetched in full?");
}

/* The top of the stack; NULL where there is none, or a mark. */
static Node *top(Machine *m)
{
    Node *n = m->depth ? m->stack[m->depth - 1] : NULL;
    return n && n->kind != MARK ? n : NULL;
}

static Node *pop(Machine *m)
{
    Node *n = top(m);
    m->depth -= n != NULL;
    return n;
}

/* Where the last mark stands; the depth where there is none. */
static size_t last_mark(const Machine *m)
{
    for (size_t i = m->depth; i > 0; i--)
        if (m->stack[i - 1]->kind == MARK)
            return i - 1;
    return m->depth;
}

/* The values behind the last mark, into `list`; the mark goes too. */
static int take_marked(Machine *m, Node *list)
{
    size_t mark = last_mark(m);
    if (mark == m->depth || !list)
        return broken(m);
    for (size_t i = mark + 1; i < m->depth; i++)
        append(list, m->stack[i]);
    m->depth = mark;
    return 0;
}

/* What stands below the last mark and is to take what stands behind it. */
static Node *below_mark(Machine *m, Kind kind)
{
    size_t mark = last_mark(m);
    Node *n = mark < m->depth && mark > 0 ? m->stack[mark - 1] : NULL;
    return n && n->kind == kind ? n : NULL;
}

static const Node *item(const Node *list, int64_t i, Kind kind)
{
    if (!list || list->kind != ITEMS || i >= list->count || list->item[i]->kind != kind)
        return NULL;
    return list->item[i];
}

/* ---- names and what is made with them ---- */

static int push_name(Machine *m)
{
    Str part[2];
    for (int i = 0; i < 2; i++) {
        const unsigned char *nl = memchr(m->p, '\n', (size_t)(m->end - m->p));
        if (!nl)
            return broken(m);
        part[i] = str_of((const char *)m->p, (size_t)(nl - m->p));
        m->p = nl + 1;
    }
    Node *n = make(m, NAME);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].module) == part[0].n && strlen(names[i].name) == part[1].n &&
            memcmp(names[i].module, part[0].p, part[0].n) == 0 &&
            memcmp(names[i].name, part[1].p, part[1].n) == 0) {
            n->number = (int64_t)i;
            return push(m, n);
        }
    for (int i = 0; i < 2; i++)
        part[i].n = part[i].n < 100 ? part[i].n : 100;
    return err_set(m->e,
                   "%.*s.%.*s is not part of a tensor dictionary: save the weights alone, "
                   "as safetensors",
                   (int)part[0].n, part[0].p, (int)part[1].n, part[1].p);
}

/* ('storage', TYPE, KEY, place, count), the one kind of persistent id. */
static int push_storage(Machine *m)
{
    const Node *id = pop(m), *word = item(id, 0, TEXT), *type = item(id, 1, NAME);
    const Node *key = item(id, 2, TEXT), *count = item(id, 4, NUMBER);
    PickleDict *d = m->dict;
    if (!word || word->text.n != 7 || memcmp(word->text.p, "storage", 7) != 0 || !type ||
        type->number < STORAGES || !key || !count || count->number < 0)
        return broken(m);
    PickleStorage s = {NULL, names[type->number].type, count->number};
    bool fresh;
    int64_t *at = namemap_at(&m->storages, key->text, &fresh);
    if (fresh && d->storages == MOST_STORAGES)
        return err_set(m->e, "more than %d storages", MOST_STORAGES);
    if (fresh) {
        *at = d->storages;
        s.key = mem_strn(key->text.p, key->text.n);
        d->storage = mem_resize(d->storage, (size_t)d->storages + 1, sizeof *d->storage);
        d->storage[d->storages++] = s;
    } else if (d->storage[*at].type != s.type || d->storage[*at].count != s.count) {
        return broken(m);
    }
    Node *n = make(m, STORAGE);
    n->number = *at;
    return push(m, n);
}

/* (storage, offset, shape, strides, ...): within the storage, and no larger than it. */
static int push_tensor(Machine *m, const Node *args)
{
    const Node *storage = item(args, 0, STORAGE), *offset = item(args, 1, NUMBER);
    const Node *shape = item(args, 2, ITEMS), *stride = item(args, 3, ITEMS);
    if (!storage || !offset || !shape || !stride || shape->count != stride->count)
        return broken(m);
    if (shape->count > ST_RANKS)
        return err_set(m->e, "a tensor of %lld axes: at most %d", (long long)shape->count,
                       ST_RANKS);
    Node *n = make(m, TENSOR);
    PickleTensor *t = n->tensor = mem_zero(1, sizeof *n->tensor);
    t->storage = (int)storage->number;
    t->rank = (int)shape->count;
    t->offset = offset->number;
    int64_t have = m->dict->storage[t->storage].count, last = t->offset, all = 1, step;
    bool fits = last >= 0, empty = false;
    for (int i = 0; i < t->rank; i++) {
        const Node *length = item(shape, i, NUMBER), *by = item(stride, i, NUMBER);
        if (!length || !by || length->number < 0 || by->number < 0)
            return broken(m);
        t->shape[i] = length->number;
        t->stride[i] = by->number;
        empty = empty || !length->number;
        fits = fits && !__builtin_mul_overflow(length->number - 1, by->number, &step) &&
               !__builtin_add_overflow(last, step, &last) &&
               !__builtin_mul_overflow(all, length->number, &all);
    }
    if (!empty && (!fits || last >= have || all > have))
        return err_set(m->e, "a tensor reaches beyond its storage of %lld numbers",
                       (long long)have);
    return push(m, n);
}

static int reduce(Machine *m)
{
    const Node *args = pop(m), *name = pop(m);
    if (!args || args->kind != ITEMS || !name || name->kind != NAME)
        return broken(m);
    if (name->number == REBUILD_TENSOR)
        return push_tensor(m, args);
    if (name->number == REBUILD_PARAMETER && item(args, 0, TENSOR))
        return push(m, args->item[0]);
    if (name->number == ORDERED_DICT && args->count == 0)
        return push(m, make(m, DICT));
    return err_set(m->e, "%s.%s with these arguments is not part of a tensor dictionary",
                   names[name->number].module, names[name->number].name);
}

/* ---- instructions ---- */

/* n bytes as a little-endian number. */
static int number(Machine *m, int n, bool is_signed, int64_t *to)
{
    uint64_t u = 0;
    if (m->end - m->p < n)
        return broken(m);
    for (int i = n - 1; i >= 0; i--)
        u = u << 8 | m->p[i];
    if (is_signed && n && n < 8 && m->p[n - 1] & 0x80)
        u |= ~(uint64_t)0 << 8 * n;
    m->p += n;
    *to = (int64_t)u;
    return 0;
}

static int push_number(Machine *m, int bytes, bool is_signed)
{
    Node *n = make(m, NUMBER);
    return number(m, bytes, is_signed, &n->number) < 0 ? -1 : push(m, n);
}

static int push_flag(Machine *m, int64_t is)
{
    Node *n = make(m, NUMBER);
    n->number = is;
    return push(m, n);
}

/* A number of up to 8 bytes, behind their count. */
static int push_long(Machine *m)
{
    int64_t bytes = 0;
    if (number(m, 1, false, &bytes) < 0)
        return -1;
    return bytes > 8 ? broken(m) : push_number(m, (int)bytes, true);
}

static int push_text(Machine *m)
{
    Node *n = make(m, TEXT);
    int64_t bytes = 0;
    if (number(m, 4, false, &bytes) < 0 || bytes > m->end - m->p)
        return broken(m);
    n->text = str_of((const char *)m->p, (size_t)bytes);
    m->p += bytes;
    return memchr(n->text.p, 0, n->text.n) ? broken(m) : push(m, n);
}

static int keep(Machine *m, int bytes)
{
    int64_t at = 0;
    Node *n = top(m);
    if (number(m, bytes, false, &at) < 0 || !n || (size_t)at >= m->most_memos)
        return broken(m);
    if ((size_t)at >= m->memos) {
        size_t more = 2 * (size_t)at + 64;
        m->memo = mem_resize(m->memo, more, sizeof *m->memo);
        memset(m->memo + m->memos, 0, (more - m->memos) * sizeof *m->memo);
        m->memos = more;
    }
    m->memo[at] = n;
    return 0;
}

static int recall(Machine *m, int bytes)
{
    int64_t at = 0;
    if (number(m, bytes, false, &at) < 0 || (size_t)at >= m->memos || !m->memo[at])
        return broken(m);
    return push(m, m->memo[at]);
}

static int push_tuple(Machine *m, size_t count)
{
    Node *list = make(m, ITEMS);
    if (m->depth < count)
        return broken(m);
    m->depth -= count;
    for (size_t i = 0; i < count; i++)
        append(list, m->stack[m->depth + i]);
    return push(m, list);
}

static int push_marked(Machine *m)
{
    Node *list = make(m, ITEMS);
    return take_marked(m, list) < 0 ? -1 : push(m, list);
}

static int set_item(Machine *m)
{
    Node *value = pop(m), *key = pop(m), *dict = top(m);
    if (!value || !key || !dict || dict->kind != DICT)
        return broken(m);
    append(dict, key);
    append(dict, value);
    return 0;
}

static int set_items(Machine *m)
{
    Node *dict = below_mark(m, DICT);
    return take_marked(m, dict) < 0 ? -1 : dict->count % 2 ? broken(m) : 0;
}

static int add_item(Machine *m)
{
    Node *value = pop(m), *list = top(m);
    if (!value || !list || list->kind != ITEMS)
        return broken(m);
    append(list, value);
    return 0;
}

/* What an object has besides its items: versions of modules, which nobody asks for. */
static int build(Machine *m)
{
    Node *state = pop(m), *object = top(m);
    return state && object && object->kind == DICT ? 0 : broken(m);
}

static int too_long(Machine *m)
{
    return err_set(m->e, "its dictionary of tensors takes more than %d instructions", MOST_STEPS);
}

static int protocol(Machine *m)
{
    int64_t version = 0;
    if (number(m, 1, false, &version) < 0)
        return -1;
    return version == 2
               ? 0
               : err_set(m->e, "pickle protocol %lld: torch.save writes 2", (long long)version);
}

static int step(Machine *m, unsigned char code)
{
    switch (code) {
    case 0x80: return protocol(m);
    case '(': return push(m, make(m, MARK));
    case ')': return push(m, make(m, ITEMS));
    case ']': return push(m, make(m, ITEMS));
    case '}': return push(m, make(m, DICT));
    case 'N': return push(m, make(m, NONE));
    case 0x88: return push_flag(m, 1); /* True and False */
    case 0x89: return push_flag(m, 0);
    case 'K': return push_number(m, 1, false);
    case 'M': return push_number(m, 2, false);
    case 'J': return push_number(m, 4, true);
    case 0x8a: return push_long(m);
    case 'X': return push_text(m);
    case 'c': return push_name(m);
    case 'Q': return push_storage(m);
    case 'R': return reduce(m);
    case 'b': return build(m);
    case 't': return push_marked(m);
    case 0x85: return push_tuple(m, 1);
    case 0x86: return push_tuple(m, 2);
    case 0x87: return push_tuple(m, 3);
    case 's': return set_item(m);
    case 'u': return set_items(m);
    case 'a': return add_item(m);
    case 'e': return take_marked(m, below_mark(m, ITEMS));
    case 'q': return keep(m, 1);
    case 'r': return keep(m, 4);
    case 'h': return recall(m, 1);
    case 'j': return recall(m, 4);
    default:
        return err_set(m->e,
                       "pickle instruction 0x%02x is not part of a tensor dictionary: save "
                       "the weights alone, as safetensors",
                       code);
    }
}

/* ---- a pickle ---- */

const Node *pickle_run(Machine *m)
{
    int status = 0, steps = 0;
    while (status == 0 && m->p < m->end && *m->p != '.')
        status = steps++ < MOST_STEPS ? step(m, *m->p++) : too_long(m);
    const Node *result = status == 0 && m->p < m->end ? pop(m) : NULL;
    if (status == 0 && !result)
        broken(m);
    m->p += result != NULL; /* the '.' */
    return result;
}

void pickle_end(Machine *m)
{
    for (Node *n = m->made, *next; n; n = next) {
        next = n->made;
        if (n->kind == ITEMS || n->kind == DICT)
            free(n->item);
        if (n->kind == TENSOR)
            free(n->tensor);
        free(n);
    }
    namemap_free(&m->storages);
    free(m->stack);
    free(m->memo);
}
