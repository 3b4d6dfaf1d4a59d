// SPDX-License-Identifier: GPL-2.0-only
/* What docs/test-your-driver.md shows of tests: each of its blocks of C stands here, and is run. */
#include <mapsim/linux.h>

#include <mapsim/kvm.h>
#include <mapsim/state.h>

#include "../pci_unbind.c"

#include <linux/dma-mapping.h>

#include <assert.h>

#define BAR 0xfd000000ul

/* A machine with RAM and a BAR; the driver is loaded, and its device is found. */
static struct ms_machine *machine_with_driver(const char *release, struct pci_dev **pdev)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux(release, MS_ARCH_X86_64));

	assert(!ms_ram_add(m, 0x40000000, SZ_64M) && ms_device_add(m, "bar", BAR, SZ_64K));
	ms_linux_use(m);
	*pdev = ms_linux_pci_device(m, 0x1af4, 0x1110);
	ms_linux_pci_bar(*pdev, 0, BAR, SZ_64K, IORESOURCE_MEM);
	assert(!ms_linux_insmod(m, ms_module_init));
	assert(!ms_linux_pci_found(*pdev)); // calls the driver's probe
	return m;
}

static void end(struct ms_machine *m, struct pci_dev *pdev)
{
	ms_linux_rmmod(m, ms_module_exit);
	ms_linux_pci_free(pdev);
	assert(!ms_linux_leaks(m) && !ms_violations(m));
	ms_linux_use(NULL);
	ms_machine_free(m);
}

static void the_device_goes_while_it_is_mapped(const char *release)
{
	struct pci_dev *pdev;
	struct ms_machine *m = machine_with_driver(release, &pdev);
	struct mm_struct *mm = ms_mm_new(m), *child;
	struct file *file = ms_linux_open(m, "pci_unbind", O_RDWR);
	int64_t hva = ms_mmap(mm, 0, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED, file, 0);

	assert(!ms_touch(mm, hva, MS_PROT_W));
	child = ms_fork(mm);
	ms_linux_pci_free(pdev); // unplugged: the driver's remove
	ms_device_set_memory(ms_device_find(m, "bar"), false);
	assert(ms_touch(mm, hva, MS_PROT_R) & VM_FAULT_SIGBUS);
	assert(ms_touch(child, hva, MS_PROT_R) & VM_FAULT_SIGBUS);
	ms_mm_exit(child);
	ms_mm_exit(mm);
	ms_linux_close(file);
	end(m, NULL);
}

static void a_guest_has_the_registers(struct mm_struct *mm, struct file *file)
{
	int64_t hva = ms_mmap(mm, 0, SZ_64K, MS_PROT_RW, MS_MAP_SHARED, file, 0);
	struct ms_vm *vm = ms_vm_new(mm, 40);

	assert(!ms_vm_set_slot(vm, 0, 0x80000000, SZ_64K, hva, 0));
	assert(ms_guest_write(vm, 0x80001000).leaf.pa == BAR + 0x1000);
	ms_munmap(mm, hva, SZ_64K); // KVM is told, and the guest loses it
	assert(ms_guest_write(vm, 0x80001000).exit == MS_GUEST_ERROR);
	ms_vm_free(vm);
}

static void nobody_pins_the_registers(struct mm_struct *mm, struct file *file)
{
	int64_t hva = ms_mmap(mm, 0, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED, file, 0);
	ms_pfn_t pfn;

	assert(ms_get_user_page(mm, hva, true, &pfn, NULL) == -EFAULT); // VM_IO
	ms_munmap(mm, hva, PAGE_SIZE);
}

static void a_state_can_be_gone_back_to(struct ms_machine *m, struct mm_struct *mm,
					struct file *file)
{
	static unsigned int mappings; // as a driver may count them

	assert(!ms_state_keep(m, &mappings, sizeof(mappings)));
	struct ms_state *before = ms_state_save(m);
	uint64_t hash = ms_machine_hash(m);

	mappings++;
	ms_mmap(mm, 0, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED, file, 0);
	assert(ms_machine_hash(m) != hash);
	ms_state_restore(m, before);
	assert(!mappings && ms_machine_hash(m) == hash);
	ms_state_free(before);
}

static void *ring;
static dma_addr_t ring_handle;
static struct device ring_device = { .dma_coherent = true };

static int ring_mmap(struct file *file, struct vm_area_struct *vma)
{
	return dma_mmap_coherent(&ring_device, vma, ring, ring_handle, SZ_16K);
}

static void a_process_sees_coherent_memory(struct ms_machine *m, struct mm_struct *mm)
{
	static const struct file_operations fops = { .mmap = ring_mmap };
	struct file *file = ms_linux_file(m, &fops, O_RDWR, NULL);
	int64_t hva;
	u32 head;

	ring = dma_alloc_coherent(&ring_device, SZ_16K, &ring_handle, GFP_KERNEL);
	*(u32 *)ring = 7; // by the driver
	hva = ms_mmap(mm, 0, SZ_16K, MS_PROT_RW, MS_MAP_SHARED, file, 0);
	assert(!ms_linux_load(mm, &head, hva, sizeof(head)) && head == 7);
	assert(ms_mmap(mm, 0, SZ_64K, MS_PROT_RW, MS_MAP_SHARED, file, 0) == -ENXIO);
	ms_munmap(mm, hva, SZ_16K);
	dma_free_coherent(&ring_device, SZ_16K, ring, ring_handle);
	ms_linux_close(file);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define set_flags(vma, flags) vm_flags_set(vma, flags)
#else
#define set_flags(vma, flags) ((vma)->vm_flags |= (flags))
#endif

static int flags_mmap(struct file *file, struct vm_area_struct *vma)
{
	set_flags(vma, VM_DONTCOPY);
	return 0;
}

static void flags_of_either_version(struct ms_machine *m, struct mm_struct *mm)
{
	static const struct file_operations fops = { .mmap = flags_mmap };
	struct file *file = ms_linux_file(m, &fops, O_RDWR, NULL);
	int64_t hva = ms_mmap(mm, 0, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED, file, 0);

	assert(ms_vma_lookup(mm, hva)->vm_flags & VM_DONTCOPY);
	ms_munmap(mm, hva, PAGE_SIZE);
	ms_linux_close(file);
}

int main(void)
{
	static const char *const release[] = { "5.10.223", "6.12.117", "7.3.4" };

	for (int i = 0; i < 3; i++) {
		struct pci_dev *pdev;

		the_device_goes_while_it_is_mapped(release[i]);
		struct ms_machine *m = machine_with_driver(release[i], &pdev);
		struct mm_struct *mm = ms_mm_new(m);
		struct file *file = ms_linux_open(m, "pci_unbind", O_RDWR);

		a_guest_has_the_registers(mm, file);
		nobody_pins_the_registers(mm, file);
		a_state_can_be_gone_back_to(m, mm, file);
		a_process_sees_coherent_memory(m, mm);
		flags_of_either_version(m, mm);
		ms_mm_exit(mm);
		ms_linux_close(file);
		end(m, pdev);
	}
	return 0;
}
