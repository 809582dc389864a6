"""What a user of Python waits for between a sentence and its label: imports, tokenizer, model."""
import sys

import torch
from transformers import AutoModel, AutoTokenizer

model, text = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(model)
encoder = AutoModel.from_pretrained(model).eval()
head = torch.nn.Sequential(torch.nn.Linear(384, 64), torch.nn.ReLU(), torch.nn.Linear(64, 3))
with torch.inference_mode():
    vector = encoder(**tokenizer(text, return_tensors="pt")).last_hidden_state.mean(1)
    print(["negative", "neutral", "positive"][head(vector).argmax().item()])
