/* cut_in.h - what cuts are made of; for cut*.c alone. */
#ifndef WEFT_CUT_IN_H
#define WEFT_CUT_IN_H

#include "text/cut/cut.h"
#include "text/regex.h"

typedef enum CutKind {
    CUT_SPACES,    /* WhitespaceSplit: white space goes */
    CUT_WORDS,     /* Whitespace: runs of \w, and of what is neither that nor white space */
    CUT_PUNCT,     /* Punctuation */
    CUT_DIGITS,    /* Digits: what Unicode calls numeric */
    CUT_CHARACTER, /* CharDelimiterSplit */
    CUT_STRING,    /* Split by a text */
    CUT_REGEX,     /* Split by an expression */
    CUT_LENGTH,    /* FixedLength */
    CUT_SCRIPTS,   /* UnicodeScripts */
} CutKind;

/* What becomes of what is cut at. */
typedef enum CutHow {
    CUT_REMOVED,
    CUT_ISOLATED,
    CUT_TO_PREVIOUS,
    CUT_TO_NEXT,
    CUT_CONTIGUOUS,
} CutHow;

typedef struct Cut {
    CutKind kind;
    CutHow how;
    bool invert;    /* what stands between is cut at */
    uint32_t at;    /* CUT_CHARACTER's */
    int64_t length; /* CUT_LENGTH's, in characters */
    char *text;     /* CUT_STRING's */
    Regex *regex;
} Cut;

struct Cuts {
    Cut *cut;
    int n;
};

/* A match, or what stands between two. */
typedef struct CutPiece {
    size_t begin, end;
    bool match;
} CutPiece;

struct CutWork {
    WordList words, spare;
    CutPiece *piece;
    size_t pieces, room;
    RegexWork *regex; /* made when first asked for */
};

#endif
