//! A worker: a plain thread that decides the items of its partitions in the order of the log.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::budget::Within;
use super::decision_input::{DecisionInput, When};
use super::fault::{Fault, StopCause};
use super::lanes::Lanes;
use super::partition::Core;
use super::query::etag_of;
use super::run::Run;
use super::runtime::Runtime;
use super::work::Work;
use crate::way::Way;
use samsyn_decide::draft::{Draft, LinkConcern, Ready};
use samsyn_decide::item::Item;
use samsyn_decide::route::{Target, live_generation, route};
use samsyn_identity::{Basis, DecidedNames};
use samsyn_journal::{Adopted, Decided, Encoded, PartitionState, ProfileState, TimerEnd};
use samsyn_sandbox::work_as;
use samsyn_state::view::CommittedRecord;
use samsyn_vocabulary::{FullPosition, ItemPosition, Partition, Seq};

impl Lanes {
    /// A worker's loop; ends when the engine stops or the log fails.
    pub(super) fn run_worker(&self, index: usize) {
        work_as(index);
        let mut batch = VecDeque::new();
        let stopping = || self.shared.is_stopping();
        while let Some(partition) = self.shared.schedule.take(&mut batch, stopping) {
            for work in batch.drain(..) {
                if stopping() {
                    return;
                }
                if let Err(error) = self.work(partition, work) {
                    // Nothing is lost: what isn't decided is decided after the next start.
                    tracing::error!(%error, "deciding stopped");
                    self.shared.halt(error);
                    return;
                }
            }
            self.shared.schedule.give_back(partition);
        }
    }

    fn work(&self, partition: Partition, work: Work) -> Result<(), StopCause> {
        match work {
            Work::Accepted { seq, accepted, mut way } => {
                way.begun();
                let item = ItemPosition { seq, index: 0 };
                self.decide_live(partition, item, &Item::Event(accepted), Some(way))?;
                self.sequencer.undecided.fetch_sub(1, Ordering::Relaxed);
                Ok(())
            }
            Work::Derived { seq, decided } => self.decide_derived(partition, seq, &decided),
            Work::Fire(timer) => self.fire(partition, &timer),
            Work::Due { seq, due } => self.decide_due(partition, seq, due),
            Work::Call { record, reply } => {
                let appended = self.call_record(partition, *record)?;
                // Whoever asked may have gone.
                let _ = reply.send(appended);
                Ok(())
            }
            Work::OfCall { seq, item } => self.decide_of_call(partition, seq, &item),
            Work::Adopt => self.adopt(partition),
            Work::Retry { profile, capability, skip } => {
                self.retry_blocked(partition, profile, &capability, skip, false)
            }
            Work::NotifySourceChange { batch } => self.notify_source_change(partition, &batch),
            Work::EndJobs { through, notified } => self.end_jobs(partition, through, &notified),
            Work::NoteCursor => self.note_cursor(partition),
            Work::Join { capability, done } => {
                let joined = self.join(partition, &capability);
                done.store(true, Ordering::Release);
                joined
            }
        }
    }

    fn decide_derived(
        &self,
        partition: Partition,
        seq: Seq,
        decided: &Arc<Decided>,
    ) -> Result<(), StopCause> {
        for index in 0..=decided.last_item() {
            let Some(item) = Item::of_decided(decided, index) else { continue };
            self.decide_live(partition, ItemPosition { seq, index }, &item, None)?;
        }
        self.core(partition).roots.end(decided);
        Ok(())
    }

    /// Decides one item for all live capabilities: one record, whatever follows.
    pub(super) fn decide_live(
        &self,
        partition: Partition,
        position: ItemPosition,
        item: &Item,
        mut way: Option<Way>,
    ) -> Result<(), StopCause> {
        let is_derived = !matches!(item, Item::Event(_));
        loop {
            if is_derived && self.core(partition).passes(position, item) {
                return Ok(());
            }
            let at = FullPosition::new(partition, position);
            let input = self.decision_input(item.profile(), at, item)?;
            way.iter_mut().for_each(Way::locked);
            let DecisionInput { partition_state, runtime, before, cause, .. } = &input;
            let precondition_met = self.precondition_met(item, before.as_deref(), partition_state, runtime);
            let routed = route(item, &runtime.registry.routing, precondition_met);
            let name = |target: &Target<'_>| &runtime.registry.routing.capabilities[target.capability].name;
            let live = routed.into_iter().filter_map(|target| {
                // A timer that is no longer set is nobody's.
                if cause.timer.as_ref().is_some_and(|timer| timer.how != TimerEnd::Fired) {
                    return None;
                }
                let generation = live_generation(partition_state, name(&target))?;
                Some((target, generation))
            });
            let targets: Vec<(Target<'_>, u32)> = live.collect();
            // Don't wait for a capability already known to be slow.
            let known = |(target, _): &(Target<'_>, u32)| self.is_slow(name(target)).then(|| name(target));
            if self.any_slow.load(Ordering::Relaxed)
                && self.move_to_slow_lane(partition, targets.iter().filter_map(known))?
            {
                continue;
            }
            let run = Run { hurried: true, ..input.run(self, item) };
            let Within { completed, through } = self.run_within_budget(&run, &targets);
            way.iter_mut().for_each(Way::ran);
            if self.move_to_slow_lane(partition, run.too_slow(&completed))? {
                // All others hear it now; who took too long hears it on a thread of its own.
                continue;
            }
            let decision = input.decision(self, item, completed, precondition_met, When::Live { through });
            way.iter_mut().for_each(Way::decided);
            let mut core = self.core(partition);
            if !input.still_holds(&mut core, self)? {
                continue;
            }
            debug_assert_eq!(cause.item.within(partition), Some(position));
            return self.commit(partition, &mut core, before.as_deref(), decision, way);
        }
    }

    fn precondition_met(
        &self,
        item: &Item,
        before: Option<&ProfileState>,
        partition_state: &PartitionState,
        runtime: &Runtime,
    ) -> bool {
        match item {
            Item::Event(accepted) => match &accepted.expected {
                Some(expected) => before.is_some_and(|state| {
                    let sees = |field: &_| accepted.expected_of.as_ref().is_none_or(|of| of.contains(field));
                    etag_of(state, &partition_state.adopted.visible, &runtime.registry, sees) == *expected
                }),
                None => true,
            },
            _ => true,
        }
    }

    /// Takes the last step of a decision, appends its links and the decision, and folds it.
    pub(super) fn commit(
        &self,
        partition: Partition,
        core: &mut Core,
        before: Option<&ProfileState>,
        draft: Draft<'_>,
        way: Option<Way>,
    ) -> Result<(), StopCause> {
        let runtime = core.runtime.clone().ok_or(Fault::Bug("a partition has no revision in use"))?;
        let basis = Basis { registry: &runtime.registry, before, generations: &core.state.adopted.visible };
        // Most have nothing to link.
        let names = match draft.concern(&basis) {
            LinkConcern::Nothing => Some(DecidedNames::default()),
            LinkConcern::LooksUp => {
                let names = self.identity.ask(&self.shared.view, |appended| draft.names(&basis, appended))?;
                names.links.is_empty().then_some(names)
            }
            LinkConcern::Changes => None,
        };
        let ((_, decided, state), own_refusals) = match names {
            Some(names) => {
                let Ready { decided, bodies, own_refusals } = draft.complete(names, uuid::Uuid::new_v4);
                (self.sequencer.append_decided(partition, before, (bodies, decided), way)?, own_refusals)
            }
            None => {
                let mut recent = self.identity.lock();
                let mut names = draft.names(&basis, &recent.with(&self.shared.view))?;
                let links = std::mem::take(&mut names.links);
                let Ready { decided, bodies, own_refusals } = draft.complete(names, uuid::Uuid::new_v4);
                // Before the decision: when that is decided again after a crash, links that are there are left
                // as they are.
                self.sequencer.append_links(&links, None)?;
                links.iter().for_each(|linked| recent.link(linked));
                let appended = self.sequencer.append_decided(partition, before, (bodies, decided), way)?;
                let profile = appended.1.profile;
                for linked in &links {
                    if linked.line_position.is_none() && !linked.retired && linked.profile == profile {
                        recent.add_name(profile, linked.identifier.clone(), appended.0);
                    }
                }
                (appended, own_refusals)
            }
        };
        core.state.fold_decided(&decided);
        core.roots.add(&decided);
        if let Some(ended) = &decided.timer {
            core.firing.remove(ended, decided.profile);
        }
        self.count_refusals(&decided, &own_refusals);
        let profiles_max = self.shared.config.cached_profiles / self.shared.partition_count();
        core.put(state, profiles_max, || self.shared.view.applied(partition).seq);
        self.quarantine_if_due(&decided, &runtime);
        Ok(())
    }

    /// Counts what a record says no to, by whom. Counted here and not where the handlers run: what ran in
    /// vain is no refusal.
    fn count_refusals(&self, decided: &Decided, own_refusals: &[u64]) {
        for (outcome, own) in decided.outcomes.iter().zip(own_refusals) {
            let all = outcome.refusals.len() as u64;
            if all > 0 {
                let metrics = self.shared.metrics.capability(&outcome.capability);
                metrics.refused_by_itself.fetch_add(*own, Ordering::Relaxed);
                metrics.refused_by_host.fetch_add(all.saturating_sub(*own), Ordering::Relaxed);
            }
        }
    }

    /// Takes a registry revision into use: appends the partition's `Adopted`.
    pub(super) fn append_adopted(
        &self,
        partition: Partition,
        core: &mut Core,
        adopted: Adopted,
    ) -> Result<(), StopCause> {
        let encoded = Encoded::of(partition, &adopted);
        let adopted = Arc::new(adopted);
        let record = CommittedRecord::Adopted(adopted.clone());
        let position = self.sequencer.append_in_order(partition, encoded, record)?;
        core.state.fold_adopted(position.seq, &adopted);
        Ok(())
    }
}
