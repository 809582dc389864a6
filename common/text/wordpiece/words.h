/* words.h - tokenizers put together of the library's parts: any normalizer of normal/, or BERT's;
 * pre-tokenizers one behind the other; words in pieces (WordPiece) or whole (WordLevel). BERT's own
 * put together is bert.h's, which is faster. */
#ifndef WEFT_WORDS_H
#define WEFT_WORDS_H

#include "text/tokenizer_in.h"

#endif
