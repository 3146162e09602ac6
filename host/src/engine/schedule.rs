//! Who works on what: every partition has a lane, in the order of its log; a worker takes one lane
//! at a time and nobody else does meanwhile. So no worker is idle while another has more to do, and
//! a partition is never worked on twice at once.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::work::Work;
use crate::vocabulary::Partition;

/// What a worker takes of one partition before it looks at the others: few enough that a busy
/// partition doesn't hold up the rest for long, enough that the lock isn't felt.
const WORK_A_TURN: usize = 16;

/// What the workers have to do.
pub struct Schedule {
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    lanes: Vec<Lane>,
    /// Partitions that have something to do and nobody who does it, longest waiting first.
    ready: VecDeque<Partition>,
    waiting: usize,
    taken: usize,
    idle: usize,
}

#[derive(Default)]
struct Lane {
    work: VecDeque<Work>,
    taken: bool,
}

impl State {
    fn take(&mut self, batch: &mut VecDeque<Work>) -> Option<Partition> {
        let partition = self.ready.pop_front()?;
        let lane = &mut self.lanes[usize::from(partition.0)];
        lane.taken = true;
        let some = lane.work.len().min(WORK_A_TURN);
        batch.extend(lane.work.drain(..some));
        self.waiting -= some;
        self.taken += 1;
        Some(partition)
    }
}

impl Schedule {
    /// One of so many partitions.
    pub fn new(partitions: u16) -> Schedule {
        let lanes = (0..partitions).map(|_| Lane::default()).collect();
        let state = State { lanes, ready: VecDeque::new(), waiting: 0, taken: 0, idle: 0 };
        Schedule { state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Adds something to do at a partition's end.
    pub fn push(&self, partition: Partition, work: Work) {
        let mut state = self.state.lock();
        let lane = &mut state.lanes[usize::from(partition.0)];
        let is_ready = lane.work.is_empty() && !lane.taken;
        lane.work.push_back(work);
        state.waiting += 1;
        if is_ready {
            state.ready.push_back(partition);
        }
        let wake = is_ready && state.idle > 0;
        drop(state);
        if wake {
            self.wake.notify_one();
        }
    }

    /// The next of some partition, which belongs to the caller until it is given
    /// [`back`](Schedule::give_back); waits until there is something. None when `stopping` says to
    /// end.
    pub fn take(&self, batch: &mut VecDeque<Work>, stopping: impl Fn() -> bool) -> Option<Partition> {
        let mut state = self.state.lock();
        loop {
            if stopping() {
                return None;
            }
            if let Some(partition) = state.take(batch) {
                return Some(partition);
            }
            state.idle += 1;
            self.wake.wait(&mut state);
            state.idle -= 1;
        }
    }

    /// What was taken of a partition is done: whoever is next may have it.
    pub fn give_back(&self, partition: Partition) {
        let mut state = self.state.lock();
        state.taken -= 1;
        let lane = &mut state.lanes[usize::from(partition.0)];
        lane.taken = false;
        if !lane.work.is_empty() {
            // Its worker looks for the next turn by itself: no need to wake another.
            state.ready.push_back(partition);
        }
    }

    /// Wakes all workers though there is nothing to do.
    pub fn wake(&self) {
        // Under the lock, so that it can't fall between a worker's look and its sleep.
        let _state = self.state.lock();
        self.wake.notify_all();
    }

    /// How much nobody has taken yet.
    pub fn len(&self) -> usize {
        self.state.lock().waiting
    }

    /// Whether something waits or is worked on.
    pub fn is_busy(&self) -> bool {
        let state = self.state.lock();
        state.waiting > 0 || state.taken > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(schedule: &Schedule, partition: u16, count: usize) {
        for _ in 0..count {
            schedule.push(Partition(partition), Work::Adopt);
        }
    }

    /// The next turn, if a worker wouldn't have to wait for it.
    fn take(schedule: &Schedule) -> Option<(u16, usize)> {
        let mut batch = VecDeque::new();
        let partition = schedule.state.lock().take(&mut batch)?;
        Some((partition.0, batch.len()))
    }

    #[test]
    fn a_partition_belongs_to_one_worker_at_a_time() {
        let schedule = Schedule::new(2);
        push(&schedule, 0, 1);
        assert_eq!(take(&schedule), Some((0, 1)));
        push(&schedule, 0, 2);
        assert_eq!(take(&schedule), None, "its worker isn't back");
        assert!(schedule.is_busy());
        schedule.give_back(Partition(0));
        assert_eq!(take(&schedule), Some((0, 2)));
        assert_eq!(schedule.len(), 0);
        schedule.give_back(Partition(0));
        assert!(!schedule.is_busy());
        assert_eq!(take(&schedule), None);
    }

    #[test]
    fn a_busy_partition_takes_turns_with_the_others() {
        let schedule = Schedule::new(2);
        push(&schedule, 0, WORK_A_TURN + 1);
        push(&schedule, 1, 1);
        assert_eq!(take(&schedule), Some((0, WORK_A_TURN)));
        schedule.give_back(Partition(0));
        assert_eq!(take(&schedule), Some((1, 1)));
        assert_eq!(take(&schedule), Some((0, 1)));
    }

    #[test]
    fn who_waits_is_woken_by_work_and_by_the_end() {
        let schedule = Schedule::new(1);
        let ended = std::sync::atomic::AtomicBool::new(false);
        let stopping = || ended.load(std::sync::atomic::Ordering::SeqCst);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let mut batch = VecDeque::new();
                let first = schedule.take(&mut batch, stopping);
                first.into_iter().for_each(|partition| schedule.give_back(partition));
                (first, schedule.take(&mut batch, stopping))
            });
            push(&schedule, 0, 1);
            while schedule.is_busy() {
                std::thread::yield_now();
            }
            ended.store(true, std::sync::atomic::Ordering::SeqCst);
            schedule.wake();
            assert_eq!(worker.join().ok(), Some((Some(Partition(0)), None)));
        });
    }
}
