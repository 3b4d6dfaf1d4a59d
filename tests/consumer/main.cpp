/* SPDX-License-Identifier: GPL-2.0-only */
/* A program of somebody else's in C++: a policy of his own, and a hook that is called back. */
#include <mapsim/mapsim.h>

#include <cstdint>
#include <iostream>
#include <memory>

namespace
{
constexpr ms_hva_t HVA = 0x200000000000;

struct free_machine {
	void operator()(ms_machine *m) const
	{
		ms_machine_free(m);
	}
};

void count(ms_machine *, ms_hook_point, std::uint64_t, void *arg)
{
	++*static_cast<int *>(arg);
}
} // namespace

int main()
{
	ms_policy policy = *ms_policy_linux("6.12.107", MS_ARCH_ARM64);
	// "struct" is needed, as for struct stat: there is a function of the same name.
	const struct ms_machine_config config = {};
	int calls = 0;

	if (ms_policy_set(&policy, "s2_pfnmap_block", "PAGES_ONLY"))
		return 1;
	std::unique_ptr<ms_machine, free_machine> m(ms_machine_new_config(&policy, &config));
	ms_device *bar = m ? ms_device_add(m.get(), "gpu", 0x8000000000, MS_1G) : nullptr;
	ms_mm *mm = bar ? ms_mm_new(m.get()) : nullptr;
	ms_vm *vm = mm ? ms_vm_new(mm, 40) : nullptr;
	if (!vm ||
	    ms_mmap(mm, HVA, MS_2M, MS_PROT_RW, MS_MAP_SHARED, ms_pci_resource(bar), 0) < 0 ||
	    ms_vm_set_slot(vm, 1, 0x80000000, MS_2M, HVA, 0))
		return 1;
	ms_machine_set_hook(m.get(), MS_HOOK_S2_MAPPED, count, &calls);
	const ms_s2_leaf leaf = ms_guest_read(vm, 0x80123000).leaf;
	std::cout << leaf.reason << '\n';
	return calls == 1 && leaf.size == MS_4K && leaf.pa == 0x8000123000 ? 0 : 1;
}
