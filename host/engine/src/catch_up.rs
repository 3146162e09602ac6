//! Capabilities that don't move with the partition's cursor: quarantined ones stand still, slow
//! ones and new generations have a thread of their own.
//!
//! Such a capability has a cursor in each partition where it lags. Its thread reads the log from there,
//! invokes its handlers with what concerns it, one record an invocation, and in turn with others of its
//! kind ([`samsyn_machine::fair_share`]), and moves the cursor. When only a little is left it hands over: the partition's
//! worker does the rest and lets it move along.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::budget::Within;
use super::decision_input::{DecisionInput, When};
use super::fault::{Fault, StopCause};
use super::fire::first_due;
use super::lanes::Lanes;
use super::run::Run;
use super::work::Work;
use samsyn_decide::item::{Item, items_of};
use samsyn_decide::route::{Target, route};
use samsyn_journal::{Adopted, Cursor, Due, Encoded, Stored, TimerEnd};
use samsyn_machine::niceness::lower_priority;
use samsyn_state::view::CommittedRecord;
use samsyn_vocabulary::{CapabilityName, FullPosition, ItemPosition, Partition, Position, Timestamp};

/// Records that may be left when a capability's thread hands over to the worker, which has to
/// wait for the last of them to be on the disk.
const RECORDS_LEFT_MAX: u64 = 64;
/// How long a capability's thread waits before it looks for new records, when it has none.
const IDLE_PAUSE: Duration = Duration::from_millis(5);
/// The thread's niceness: a plug-in that computes for ever takes only what the others leave it, and
/// when they leave nothing about a tenth of a core.
const NICENESS: i32 = 10;

/// A lagging capability, and the partition where it lags.
#[derive(Clone, Copy)]
struct Lagging<'a> {
    partition: Partition,
    capability: &'a CapabilityName,
    generation: u32,
    /// By a thread of its own, which takes turns with others of the kind; else by the worker.
    on_own_thread: bool,
}

impl Lanes {
    /// Starts a thread for each capability that lags somewhere, or has retries left to it, and may run.
    pub(super) fn start_catch_up(self: &Arc<Self>) {
        let runtime = self.shared.newest.load_full();
        let capabilities = &runtime.registry.capabilities;
        self.left_retries
            .lock()
            .keep(|name| capabilities.get(name).is_some_and(|capability| !capability.is_quarantined()));
        for (name, capability) in capabilities {
            let has_work = || self.lags(name) || self.left_retries.lock().has(name);
            if capability.is_quarantined() || !has_work() {
                continue;
            }
            let mut running = self.catching_up.lock();
            if !running.insert(name.clone()) {
                continue;
            }
            let (lanes, capability) = (self.clone(), name.clone());
            let started =
                self.shared.spawn(format!("catch-up-{name}"), move || lanes.run_catch_up(&capability));
            if let Err(error) = started {
                running.remove(name);
                tracing::error!(%error, capability = %name, "no thread to catch up on; release it to try again");
            }
        }
    }

    pub(super) fn lags(&self, capability: &CapabilityName) -> bool {
        self.shared.partitions().any(|partition| self.core(partition).state.is_lagging(capability))
    }

    fn run_catch_up(&self, capability: &CapabilityName) {
        lower_priority(NICENESS);
        tracing::info!(%capability, "catching up");
        let ended = loop {
            if self.shared.is_stopping() {
                break Ok(());
            }
            let registry = self.shared.registry();
            let may_run =
                registry.capabilities.get(capability).is_some_and(|capability| !capability.is_quarantined());
            if !may_run {
                break Ok(());
            }
            if let Err(error) = self.run_left_retries(capability) {
                break Err(error);
            }
            if !self.lags(capability) {
                break Ok(());
            }
            match self.catch_up_everywhere(capability) {
                Ok(0) => std::thread::sleep(IDLE_PAUSE),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
        };
        self.catching_up.lock().remove(capability);
        self.fair_share.forget(capability);
        match ended {
            Ok(()) => tracing::info!(%capability, "caught up, stopped or removed"),
            Err(error) => {
                tracing::error!(%error, %capability, "catching up stopped");
                // A record that can't be read is this capability's alone; the view is everybody's.
                if matches!(error, StopCause::Fault(Fault::View(_))) {
                    self.shared.halt(error);
                }
            }
        }
    }

    /// One round over all partitions; how many records were passed.
    fn catch_up_everywhere(&self, capability: &CapabilityName) -> Result<u64, StopCause> {
        let mut passed = 0;
        for partition in self.shared.partitions() {
            let Some((cursor, through)) = self.cursor_in(partition, capability) else { continue };
            let still_slow = self.is_still_slow(capability);
            if !still_slow && through.seq.saturating_sub(cursor.through.seq) <= RECORDS_LEFT_MAX {
                self.hand_over(partition, capability);
                passed += 1;
                continue;
            }
            let lagging =
                Lagging { partition, capability, generation: cursor.generation, on_own_thread: true };
            for record in self.shared.records().scan(partition, cursor.through.seq.max(1)) {
                let record = record?;
                let beyond = record.position.seq > through.seq;
                if beyond || self.shared.is_stopping() {
                    break;
                }
                if !self.catch_up_record(lagging, &record)? {
                    break;
                }
                passed += 1;
            }
        }
        Ok(passed)
    }

    /// Has the worker give it the rest, and waits for that. That it no longer lags would say less:
    /// it may be found slow, and lag again, before anybody looks.
    fn hand_over(&self, partition: Partition, capability: &CapabilityName) {
        let done = Arc::new(AtomicBool::new(false));
        self.shared
            .schedule
            .push(partition, Work::Join { capability: capability.clone(), done: done.clone() });
        while !done.load(Ordering::Acquire) && !self.shared.is_stopping() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(super) fn cursor_in(
        &self,
        partition: Partition,
        capability: &CapabilityName,
    ) -> Option<(Cursor, ItemPosition)> {
        let core = self.core(partition);
        let cursor = core.state.adopted.lagging.iter().find(|cursor| cursor.capability == *capability)?;
        Some((cursor.clone(), core.state.through))
    }

    /// Invokes a lagging generation with a record's items; false when it no longer lags. One that came
    /// meanwhile has another cursor: given what follows here, it would never be given what is before.
    fn catch_up_record(&self, lagging: Lagging<'_>, record: &Stored) -> Result<bool, StopCause> {
        let seq = record.position.seq;
        for (index, item) in items_of(record)? {
            if !self.catch_up_item(lagging, ItemPosition { seq, index }, &item, record.appended_at)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Fires a timer of a generation that catches up, at the timer's own time, as if the generation had been there.
    /// False when it takes too long for the worker.
    fn fire_in_passing(&self, lagging: Lagging<'_>, cursor: &Cursor, due: Due) -> Result<bool, StopCause> {
        let Lagging { partition, generation, .. } = lagging;
        let profile = due.profile;
        let encoded = Encoded::of(partition, &due);
        let position = self.sequencer.append_in_order(partition, encoded, CommittedRecord::Due)?;
        let item = Item::Timer(Arc::new(due));
        loop {
            let input = self.decision_input(profile, position.item(0), &item)?;
            let targets = route(&item, &input.runtime.registry.routing, true);
            let targets: Vec<_> = targets.into_iter().map(|target| (target, generation)).collect();
            let made = self.decide_lagging(lagging, &input, &item, &targets, |_| cursor.clone())?;
            if let Some(is_in_time) = made {
                return Ok(is_in_time);
            }
        }
    }

    /// Invokes a lagging generation and commits what follows, with its cursor where `moved` says. False when it takes
    /// too long for the worker; none when what it was decided from has changed meanwhile.
    fn decide_lagging(
        &self,
        lagging: Lagging<'_>,
        input: &DecisionInput,
        item: &Item,
        targets: &[(Target<'_>, u32)],
        moved: impl FnOnce(ItemPosition) -> Cursor,
    ) -> Result<Option<bool>, StopCause> {
        let Lagging { partition, on_own_thread, .. } = lagging;
        let run = Run { hurried: !on_own_thread, ..input.run(self, item) };
        let Within { completed, through } = self.run_within_budget(&run, targets);
        if !on_own_thread && self.move_to_slow_lane(partition, run.too_slow(&completed))? {
            return Ok(Some(false));
        }
        let decision = input.decision(self, item, completed, true, When::CatchingUp(moved(through)));
        let mut core = self.core(partition);
        if !input.still_holds(&mut core, self)? {
            return Ok(None);
        }
        self.commit(partition, &mut core, input.before.as_deref(), decision, None)?;
        Ok(Some(true))
    }

    /// Invokes a lagging generation with one item, if it is a target and has not seen it; false when it no
    /// longer lags, or takes too long for the worker. Before a generation that catches up comes to a record of a
    /// customer, its timers fire that were due `by` then. Those that are due later fire when it has caught up.
    fn catch_up_item(
        &self,
        lagging: Lagging<'_>,
        position: ItemPosition,
        item: &Item,
        by: Timestamp,
    ) -> Result<bool, StopCause> {
        let Lagging { partition, capability, generation, on_own_thread } = lagging;
        let mut slot = None;
        loop {
            let cursor = self.cursor_in(partition, capability);
            let Some((cursor, through)) = cursor.filter(|(cursor, _)| cursor.generation == generation) else {
                return Ok(false);
            };
            // What the partition hasn't decided yet is decided for live capabilities first.
            if position <= cursor.through || position > through {
                return Ok(true);
            }
            let at = FullPosition::new(partition, position);
            let input = self.decision_input(item.profile(), at, item)?;
            let due = if cursor.catching_up { first_due(&input.state, &cursor, by) } else { None };
            let routing = &input.runtime.registry.routing;
            let targets = route(item, routing, true).into_iter();
            // A timer is for the generation that set it, and only while it is set.
            let fires = match item {
                Item::Timer(due) => {
                    due.generation == generation
                        && input.cause.timer.as_ref().is_some_and(|timer| timer.how == TimerEnd::Fired)
                }
                _ => true,
            };
            let mine =
                targets.filter(|target| fires && routing.capabilities[target.capability].name == *capability);
            let mine: Vec<_> = mine.map(|target| (target, cursor.generation)).collect();
            // A look-up of its own goes on also when no handler judges it.
            let is_own_doubt = item.doubt().is_some_and(|doubt| {
                doubt.call.generation == generation && doubt.call.capability == *capability
            });
            if mine.is_empty() && due.is_none() && !is_own_doubt {
                let mut core = self.core(partition);
                core.state.move_cursor(&Cursor { through: position, ..cursor });
                return Ok(true);
            }
            if on_own_thread && slot.is_none() {
                slot = Some(self.fair_share.take(capability));
                if self.shared.is_stopping() {
                    return Ok(false);
                }
                // What was so before the wait may not be any more.
                continue;
            }
            if let Some(due) = due {
                if !self.fire_in_passing(lagging, &cursor, due)? {
                    return Ok(false);
                }
                continue;
            }
            let moved = |through| Cursor { through, ..cursor };
            if let Some(is_in_time) = self.decide_lagging(lagging, &input, item, &mine, moved)? {
                return Ok(is_in_time);
            }
        }
    }

    /// The worker gives a lagging capability the rest and lets it move along. It stands where it
    /// is in the log while it does, so nothing can come in between.
    pub(super) fn join(&self, partition: Partition, capability: &CapabilityName) -> Result<(), StopCause> {
        let Some((cursor, through)) = self.cursor_in(partition, capability) else { return Ok(()) };
        let may_run = self
            .shared
            .registry()
            .capabilities
            .get(capability)
            .is_some_and(|capability| !capability.is_quarantined());
        if !may_run {
            return Ok(());
        }
        self.shared.wait_until_durable(Position { partition, seq: through.seq });
        let lagging = Lagging { partition, capability, generation: cursor.generation, on_own_thread: false };
        for record in self.shared.records().scan(partition, cursor.through.seq.max(1)) {
            let record = record?;
            if record.position.seq > through.seq {
                break;
            }
            if !self.catch_up_record(lagging, &record)? {
                return Ok(());
            }
        }
        let mut core = self.core(partition);
        let mut adopted = Adopted::clone(&core.state.adopted);
        adopted.through = core.state.through;
        adopted.lagging.retain(|cursor| cursor.capability != *capability);
        let generations = adopted.visible.clone();
        adopted.visible.insert(capability.clone(), cursor.generation);
        adopted.at = self.shared.clock.now();
        if let Some(runtime) = core.runtime.clone() {
            adopted.jobs.extend(self.job_of(partition, &core.state, &adopted, &generations, &runtime));
        }
        self.append_adopted(partition, &mut core, adopted)?;
        self.shared.requests.look();
        Ok(())
    }
}
