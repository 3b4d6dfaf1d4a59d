/* SPDX-License-Identifier: GPL-2.0-only */
/* Work queues and timers, as a driver uses them. */
#include "world.h"

#include <linux/timer.h>
#include <linux/workqueue.h>

struct engine {
	struct work_struct start;
	struct delayed_work stop;
	struct timer_list tick;
	struct mutex lock;
	struct completion done;
	wait_queue_head_t wq;
	int started, stopped, ticks;
	bool again;
};

static void start(struct work_struct *work)
{
	struct engine *e = container_of(work, struct engine, start);

	assert_null(current->mm);
	mutex_lock(&e->lock);
	e->started++;
	complete(&e->done);
	mutex_unlock(&e->lock);
}

static void stop(struct work_struct *work)
{
	struct engine *e = container_of(to_delayed_work(work), struct engine, stop);

	e->stopped++;
	msleep(1);
}

static void tick(struct timer_list *timer)
{
	struct engine *e = container_of(timer, struct engine, tick);

	e->ticks++;
	if (e->again)
		mod_timer(timer, jiffies + HZ);
}

static struct engine *engine_new(void)
{
	struct engine *e = kzalloc(sizeof(*e), GFP_KERNEL);

	INIT_WORK(&e->start, start);
	INIT_DELAYED_WORK(&e->stop, stop);
	timer_setup(&e->tick, tick, 0);
	mutex_init(&e->lock);
	init_completion(&e->done);
	init_waitqueue_head(&e->wq);
	return e;
}

static void queued_work_runs_when_it_is_flushed(void **state)
{
	struct world w = world("6.12.117");
	struct engine *e = engine_new();

	(void)state;
	assert_true(schedule_work(&e->start));
	assert_false(schedule_work(&e->start));
	assert_true(work_pending(&e->start));
	assert_int_equal(e->started, 0);
	assert_true(flush_work(&e->start));
	assert_int_equal(e->started, 1);
	assert_false(flush_work(&e->start));
	assert_true(schedule_work(&e->start));
	assert_true(cancel_work_sync(&e->start));
	assert_int_equal(ms_linux_run_work(w.m), 0);
	assert_int_equal(ms_violations(w.m), 0);
	kfree(e);
	world_end(&w);
}

/* Whoever sleeps lets the work run for which it waits. */
static void work_runs_when_a_driver_waits(void **state)
{
	struct world w = world("6.12.117");
	struct engine *e = engine_new();

	(void)state;
	schedule_work(&e->start);
	wait_for_completion(&e->done);
	assert_int_equal(e->started, 1);
	schedule_work(&e->start);
	assert_int_equal(wait_event_interruptible(e->wq, e->started == 2), 0);
	schedule_delayed_work(&e->stop, 2 * HZ);
	assert_int_equal(wait_event_timeout(e->wq, e->stopped, HZ), 0);
	assert_true(wait_event_timeout(e->wq, e->stopped, 3 * HZ) > 0);
	assert_int_equal(ms_violations(w.m), 0);
	wait_event(e->wq, e->started == 3);
	assert_violated(&w, 0, "waits for e->started == 3, which nobody makes true: sleeps for ever",
			0, 0);
	kfree(e);
	world_end(&w);
}

static void what_is_due_first_runs_first(void **state)
{
	struct world w = world("6.12.117");
	struct engine *e = engine_new();

	(void)state;
	schedule_delayed_work(&e->stop, 2 * HZ);
	mod_timer(&e->tick, jiffies + HZ);
	schedule_work(&e->start);
	assert_int_equal(ms_linux_run_work(w.m), 1);
	assert_int_equal(e->started, 1);
	msleep(1500);
	assert_int_equal(e->ticks, 1);
	assert_int_equal(e->stopped, 0);
	// the next delay is from then on
	assert_true(mod_delayed_work(system_wq, &e->stop, HZ) == false);
	e->again = true;
	mod_timer(&e->tick, jiffies + HZ);
	assert_int_equal(ms_linux_run_timers(w.m), 2);
	assert_int_equal(e->stopped, 1);
	assert_int_equal(e->ticks, 2);
	assert_int_equal(timer_delete_sync(&e->tick), 1);
	kfree(e);
	world_end(&w);
}

static void a_flush_under_the_lock_of_the_work_is_a_deadlock(void **state)
{
	struct world w = world("6.12.117");
	struct engine *e = engine_new();

	(void)state;
	schedule_work(&e->start);
	mutex_lock(&e->lock);
	flush_work(&e->start);
	mutex_unlock(&e->lock);
	assert_int_not_equal(ms_violations(w.m), 0);
	kfree(e);
	world_end(&w);
}

static void sleeping_tick(struct timer_list *timer)
{
	(void)timer;
	kfree(kmalloc(8, GFP_KERNEL));
}

static void a_timer_does_not_sleep(void **state)
{
	struct world w = world("7.3.4");
	struct timer_list timer;

	(void)state;
	timer_setup(&timer, sleeping_tick, 0);
	mod_timer(&timer, jiffies);
	msleep(10);
	assert_violated(&w, 0, "kmalloc may sleep, and a timer's function runs", 0, 0);
	world_end(&w);
}

static void what_is_queued_when_its_memory_goes_is_told(void **state)
{
	struct world w = world("6.12.117");
	struct workqueue_struct *wq = alloc_workqueue("engine", WQ_UNBOUND, 0);
	struct engine *e = engine_new();

	(void)state;
	queue_delayed_work(wq, &e->stop, HZ);
	mod_timer(&e->tick, jiffies + HZ);
	assert_int_equal(ms_linux_leaks(w.m), 4); // and the memory of both
	destroy_workqueue(wq);
	assert_string_equal(violation(&w, 4),
			    "a workqueue is destroyed, and delayed work is queued on it");
	timer_delete(&e->tick);
	kfree(e);
	assert_string_equal(violation(&w, 5),
			    "memory is freed while work in it is queued, or a timer armed");
	assert_int_equal(ms_linux_run_timers(w.m), 0);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queued_work_runs_when_it_is_flushed),
		cmocka_unit_test(work_runs_when_a_driver_waits),
		cmocka_unit_test(what_is_due_first_runs_first),
		cmocka_unit_test(a_flush_under_the_lock_of_the_work_is_a_deadlock),
		cmocka_unit_test(a_timer_does_not_sleep),
		cmocka_unit_test(what_is_queued_when_its_memory_goes_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
