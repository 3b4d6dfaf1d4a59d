/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy's fields, read and written by name. */
#include "machine/policy_fields.h"

static const struct ms_policy_field *field_at(size_t field)
{
	return field < ms_policy_fields_count ? &ms_policy_fields[field] : NULL;
}

static unsigned int get(const struct ms_policy *p, const struct ms_policy_field *f)
{
	unsigned int value;

	memcpy(&value, (const char *)p + f->offset, sizeof(value));
	return value;
}

static const char *value_name(const struct ms_policy_field *f, unsigned int value)
{
	return value < MS_POLICY_MAX_VALUES ? f->value[value] : NULL;
}

size_t ms_policy_nr_fields(void)
{
	return ms_policy_fields_count;
}

const char *ms_policy_field_name(size_t field)
{
	const struct ms_policy_field *f = field_at(field);

	return f ? f->name : NULL;
}

const char *ms_policy_field_doc(size_t field)
{
	const struct ms_policy_field *f = field_at(field);

	return f ? f->doc : NULL;
}

int ms_policy_field(const struct ms_policy *p, size_t field)
{
	const struct ms_policy_field *f = field_at(field);

	return p && f ? (int)get(p, f) : -1;
}

const char *ms_policy_value_name(size_t field, int value)
{
	const struct ms_policy_field *f = field_at(field);

	return f && value >= 0 ? value_name(f, (unsigned int)value) : NULL;
}

static const struct ms_policy_field *find_field(const char *name)
{
	for (size_t i = 0; i < ms_policy_fields_count; i++) {
		if (strcmp(ms_policy_fields[i].name, name) == 0)
			return &ms_policy_fields[i];
	}
	return NULL;
}

int ms_policy_set(struct ms_policy *p, const char *field, const char *value)
{
	const struct ms_policy_field *f = field ? find_field(field) : NULL;

	if (!p || !f || !value)
		return -EINVAL;
	for (unsigned int i = 0; i < MS_POLICY_MAX_VALUES && f->value[i]; i++) {
		if (strcmp(f->value[i], value) == 0) {
			memcpy((char *)p + f->offset, &i, sizeof(i));
			return 0;
		}
	}
	return -EINVAL;
}

bool ms_policy_valid(const struct ms_policy *p)
{
	if (p->arch != MS_ARCH_ARM64 && p->arch != MS_ARCH_X86_64)
		return false;
	for (size_t i = 0; i < ms_policy_fields_count; i++) {
		if (!value_name(&ms_policy_fields[i], get(p, &ms_policy_fields[i])))
			return false;
	}
	return true;
}
