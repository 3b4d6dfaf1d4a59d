/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes that leave records whole. */
#include "records.h"

#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t *data;
	size_t size, most;
	uint64_t seed;
};

static size_t below(struct bytes *b, size_t n)
{
	return n ? fuzz_random(&b->seed) % n : 0;
}

static size_t count(const struct bytes *b)
{
	return (b->size - FUZZ_HEAD) / RECORD;
}

static uint8_t *record(const struct bytes *b, size_t i)
{
	return b->data + FUZZ_HEAD + i * RECORD;
}

/* Room for n records in front of the i-th; false: there is none. */
static bool open_gap(struct bytes *b, size_t i, size_t n)
{
	if (b->size + n * RECORD > b->most)
		return false;
	memmove(record(b, i + n), record(b, i), b->data + b->size - record(b, i));
	b->size += n * RECORD;
	return true;
}

static void drop(struct bytes *b, size_t i, size_t n)
{
	memmove(record(b, i), record(b, i + n), b->data + b->size - record(b, i + n));
	b->size -= n * RECORD;
}

static void add_random(struct bytes *b)
{
	size_t i = below(b, 2) ? count(b) : below(b, count(b) + 1);

	if (!open_gap(b, i, 1))
		return;
	for (size_t k = 0; k < RECORD; k++)
		record(b, i)[k] = below(b, 3) ? (uint8_t)below(b, 256) : 0;
}

/* A few of them once more, elsewhere. */
static void copy(struct bytes *b)
{
	size_t n = 1 + below(b, 4), from, to = below(b, count(b) + 1);
	uint8_t copied[4 * RECORD];

	if (count(b) < n)
		return;
	from = below(b, count(b) - n + 1);
	memcpy(copied, record(b, from), n * RECORD);
	if (open_gap(b, to, n))
		memcpy(record(b, to), copied, n * RECORD);
}

static void change_byte(struct bytes *b, uint8_t *byte)
{
	switch (below(b, 4)) {
	case 0:
		*byte ^= (uint8_t)(1u << below(b, 8));
		break;
	case 1:
		*byte = (uint8_t)(*byte + below(b, 9) - 4);
		break;
	default:
		*byte = (uint8_t)below(b, 256);
		break;
	}
}

/* Arguments of one go to another. */
static void mix(struct bytes *b)
{
	size_t k = 1 + below(b, RECORD - 1);

	if (count(b))
		memcpy(record(b, below(b, count(b))) + k, record(b, below(b, count(b))) + k,
		       RECORD - k);
}

static void change(struct bytes *b)
{
	size_t n = count(b);

	switch (below(b, 12)) {
	case 0:
		change_byte(b, b->data + below(b, FUZZ_HEAD));
		break;
	case 1:
		if (n)
			drop(b, below(b, n), 1);
		break;
	case 2:
	case 3:
		copy(b);
		break;
	case 4:
	case 5:
	case 6:
		add_random(b);
		break;
	case 7:
		mix(b);
		break;
	default:
		if (n)
			change_byte(b, record(b, below(b, n)) + below(b, RECORD));
		break;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed)
{
	struct bytes b = { data, size, most, (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) };

	if (size < FUZZ_HEAD || most < FUZZ_HEAD)
		return LLVMFuzzerMutate(data, size, most);
	b.size = FUZZ_HEAD + count(&b) * RECORD;
	for (size_t n = 1 + below(&b, 4); n; n--)
		change(&b);
	if (!below(&b, 16))
		b.size = LLVMFuzzerMutate(data, b.size, most);
	return b.size;
}

/* The first records of a, then the last of b. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t most, unsigned int seed)
{
	struct bytes t = { out, a_size, most, seed + UINT64_C(1) };
	size_t from, n;

	if (a_size < FUZZ_HEAD || b_size < FUZZ_HEAD || a_size > most)
		return 0;
	memcpy(out, a, a_size);
	t.size = FUZZ_HEAD + below(&t, count(&t) + 1) * RECORD;
	n = (b_size - FUZZ_HEAD) / RECORD;
	from = below(&t, n + 1);
	n -= from;
	if (n > (most - t.size) / RECORD)
		n = (most - t.size) / RECORD;
	memcpy(out + t.size, b + FUZZ_HEAD + from * RECORD, n * RECORD);
	return t.size + n * RECORD;
}
