//! Lamport clocks (Lamport, "Time, Clocks, and the Ordering of Events in a Distributed System", CACM 1978).

/// A counter that is higher at an event than at any that happened before it. The converse does not hold: of two numbers
/// the lower one may belong to an event that had nothing to do with the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LamportClock(u64);

impl LamportClock {
    /// A clock whose first event comes after `time`.
    #[must_use]
    pub fn after(time: u64) -> Self {
        Self(time)
    }

    /// The time of the latest event.
    #[must_use]
    pub fn time(self) -> u64 {
        self.0
    }

    /// An event, such as a sending; its time (rule IR1).
    pub fn tick(&mut self) -> u64 {
        self.0 = self.0.saturating_add(1);
        self.0
    }

    /// The receipt of a message that was sent at `sent`; its time (rule IR2).
    pub fn receive(&mut self, sent: u64) -> u64 {
        self.0 = self.0.max(sent);
        self.tick()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_comes_after_the_sending_and_after_what_the_receiver_did() {
        let mut clock = LamportClock::after(0);
        assert_eq!([clock.tick(), clock.receive(7), clock.receive(3), clock.tick()], [1, 8, 9, 10]);
        assert_eq!(clock.time(), 10);
    }
}
