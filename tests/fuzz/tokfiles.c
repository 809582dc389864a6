/* tokfiles - the files that stand in a tokenizer.json's place, parts with a line "%%" between them:
 * vocab.txt, or vocab.json and merges.txt, as the first byte says; then tokenizer_config.json. */
#include "tests/fuzz/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    bool words = fuzz_byte(&p, &n) & 1;
    Str rest = str_of((const char *)p, n), first = fuzz_part(&rest), none = {0};
    Str second = words ? none : fuzz_part(&rest), text = str_of("the cat's\tcaf\xc3\xa9 12", 18);
    Err e = {0};
    fuzz_file_or_none("vocab.txt", words ? first : none);
    fuzz_file_or_none("vocab.json", words ? none : first);
    fuzz_file_or_none("merges.txt", second);
    fuzz_file_or_none("tokenizer_config.json", rest);
    Tokenizer *t = model_tokenizer(fuzz_folder(), &e);
    MUST(t || e.text[0]);
    if (t)
        text_tokens(t, text);
    tokenizer_free(t);
    return 0;
}
