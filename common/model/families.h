/* families.h - how architectures call their weights, and how they differ: one row each, for the
 * one transformer of transformer/. */
#ifndef WEFT_FAMILIES_H
#define WEFT_FAMILIES_H

#include <stdbool.h>
#include <stdint.h>

/* The weights of one half of a model. Each name stands for NAME.weight and NAME.bias and holds
 * %d for the layer, unless all layers share it; NULL: there is none. */
typedef struct Names {
    const char *position, *kind, *embed_norm;
    const char *project; /* from embeddings of another width to hidden */
    const char *qkv;     /* query, key and value in one matrix, or apart: */
    const char *query, *key, *value, *attend_out, *attend_norm;
    const char *query_norm, *key_norm; /* of each head, before it is turned; all heads share one */
    const char *cross_query, *cross_key, *cross_value, *cross_out, *cross_norm;
    const char *up, *down, *feed_norm;
    const char *gate, *gated; /* y = act(x gate') * (x gated') in place of act(x up'); `gated` NULL:
                                 the two are one matrix */
    const char *last_norm;
    const char *distance; /* table of what attention adds by distance, [buckets, heads] */
    const char *relative, *relative_norm; /* embeddings of distances, and their norm, */
    const char *far_key, *far_query;      /* and what makes keys and queries of them in a layer */
} Names;

/* A key of config.json, and what it is where the file is silent; NULL: no key, always so. */
typedef struct Key {
    const char *name;
    int64_t other;
} Key;

/* A rate of dropout or another number, likewise. */
typedef struct Rate {
    const char *name;
    double other;
} Rate;

typedef struct Keys {
    Key vocab, hidden, layers, heads, inner, positions, types;
    Key embedding; /* width of the embeddings; 0: hidden */
    Key size;      /* of a head; 0: hidden / heads */
    Key kv;        /* heads of keys and values; 0: as many as of queries */
    Key window;    /* how far away a key may be, where it is not seen from everywhere */
    Key decoders;  /* layers of the decoder */
    Key speakers;  /* likewise, of one that writes alone: encode does without it; 0: layers */
    Key pad, start, labels;
    int64_t eos; /* where the file is silent */
    Key bos;     /* no name: it has none of its own */
    const char *act, *act_other, *eps;
    double eps_other;
    Rate drop_embed, drop_attend, drop_out, drop_feed, drop_inner, drop_last;
    Rate base, near_base; /* how slowly places turn queries and keys: rope_theta; of layers that see
                             what is near */
    Rate init;            /* a number likewise: spread of new weights */
    Rate drop_head;       /* -1: as drop_feed */
    Rate drop_token;      /* without a name: as drop_head */
    Rate drop_span;
} Keys;

/* How a token knows where it stands. */
typedef enum Positions {
    POSITIONS_TABLE,      /* by a table of embeddings */
    POSITIONS_BEHIND_PAD, /* the same, counted from pad + 1, over the tokens that are no padding */
    POSITIONS_DISTANCE,   /* by what attention adds for the distance of two tokens */
    POSITIONS_WAVES,      /* by a table of sines and cosines, which never learns and need not be
                             in the checkpoint */
    POSITIONS_ROTARY,     /* by how far queries and keys are turned */
    POSITIONS_RELATIVE,   /* by what queries and keys make of the distance of two tokens, and by a
                             table where config.json says so */
} Positions;

/* Where norms stand: behind attention and feed-forward, or before them. */
typedef enum Norms { NORMS_AFTER, NORMS_BEFORE } Norms;

typedef struct Family {
    const char *type;   /* config.json's model_type */
    const char *class;  /* what its classes' names begin with: BertModel, BertForMaskedLM */
    const char *prefix; /* before every name, in checkpoints with a head; may be absent */
    const Keys *keys;
    const char *word, *tied; /* the word embeddings, and another name of theirs or NULL */
    Names encoder, decoder;
    Positions positions;
    int64_t first; /* entry of the position table for the first token */
    Norms norms;
    bool rms;           /* RMS norms */
    bool unnormed;      /* the first layer has no norm before its attention */
    bool bare;          /* a new model has no biases; of a checkpoint its tensors tell */
    bool by_input;      /* matrices [inputs, outputs]: GPT-2's Conv1D */
    bool raised;        /* the embeddings' norm comes behind their projection */
    bool pad_learns;    /* the padding's embedding is one like the others; else it stays */
    bool causal;        /* the encoder sees only what came before, */
    bool decides;       /* or where config.json's is_decoder says so */
    bool unscaled;      /* attention without 1 / sqrt(size) */
    bool start_last;    /* the decoder's first token is the row's last */
    bool encodes;       /* what reads texts reads the encoder's states: the decoder writes */
    bool untied;        /* where config.json says nothing of tie_word_embeddings */
    const char *speaks; /* the matrix over the words, of a model that writes; NULL: it does not */
    const char *pooler; /* dense layer and tanh over the first token; NULL: none */
    const char *classifier; /* class head's last layer */
    const char *pool;       /* pooling where the folder says nothing */
} Family;

/* The family of a model_type, or NULL; all names for a message ("albert, bert, ..."). */
const Family *family_find(const char *type);
const char *family_names(void);
/* Of a model whose configuration has no model_type, as those of 2019: what architectures' class
 * says, else a folder's name that has a model_type as a word in it; or NULL. */
const Family *family_guess(const char *architecture, const char *folder);

#endif
