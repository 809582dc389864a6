/* pickle - the program that torch.save writes: every tensor lies within its storage. */
#include "store/pickle.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    PickleDict d = {0};
    Err e = {0};
    int status = pickle_read((const char *)p, n, &d, &e);
    MUST((status == 0) == !e.text[0]);
    for (int i = 0; status == 0 && i < d.tensors; i++) {
        const PickleTensor *t = &d.tensor[i];
        int64_t last = t->offset, count = 1;
        MUST(t->storage >= 0 && t->storage < d.storages && t->rank >= 0 && t->rank <= ST_RANKS);
        for (int k = 0; k < t->rank; k++) {
            MUST(t->shape[k] >= 0 && t->stride[k] >= 0);
            count *= t->shape[k] != 0;
            last += (t->shape[k] - 1) * t->stride[k];
        }
        MUST(t->name && t->offset >= 0 && (!count || last < d.storage[t->storage].count));
    }
    pickle_clear(&d);
    return 0;
}
