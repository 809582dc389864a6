#!/bin/sh
# features.sh [MODEL] < TEXT > FILE.npy: what is a text to the model? Its tokens' last hidden
# states, an array of (tokens, hidden) that numpy.load reads; lines follow each other.
model=${1:-${WEFT_MODEL:-distilbert/distilbert-base-cased}}

weft tok -m "$model" | weft encode | weft show -n token.hidden
