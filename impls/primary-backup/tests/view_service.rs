//! The rules of the view service, one test each, in the order of the labs' scenarios.

use primary_backup::{View, Views};

const DEAD_TICKS: u32 = 2;

/// The view service and a script of pings.
struct Script(Views);

impl Script {
    fn new() -> Self {
        Self(Views::new(View::default(), false, DEAD_TICKS))
    }

    /// n1 is primary and n2 backup, acknowledged: view 2.
    fn with_primary_and_backup() -> Self {
        Self::new().ping("n1", 0).ping("n1", 1).ping("n2", 0).ping("n1", 2)
    }

    fn ping(mut self, server: &str, num: u64) -> Self {
        self.0.ping(&server.to_owned(), num);
        self
    }

    /// Enough ticks for a server to be dead that does not ping, while `alive` ping with `num`.
    fn while_only(mut self, alive: &[&str], num: u64) -> Self {
        for _ in 0..DEAD_TICKS {
            self.0.tick();
            for server in alive {
                self = self.ping(server, num);
            }
        }
        self
    }

    #[track_caller]
    fn expect(self, num: u64, primary: &str, backup: &str) -> Self {
        let server = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        let expected = View { num, primary: server(primary), backup: server(backup) };
        assert_eq!(*self.0.view(), expected);
        self
    }
}

#[test]
fn startup_view() {
    Script::new().expect(0, "", "").while_only(&[], 0).expect(0, "", "");
}

#[test]
fn first_primary() {
    Script::new().ping("n1", 0).expect(1, "n1", "");
}

#[test]
fn first_backup() {
    Script::new().ping("n1", 0).ping("n1", 1).ping("n2", 0).expect(2, "n1", "n2");
}

#[test]
fn backup_pings_first() {
    let early = Script::new().ping("n1", 0).ping("n2", 0).expect(1, "n1", "");
    early.ping("n1", 1).expect(2, "n1", "n2");
}

#[test]
fn backup_takes_over() {
    Script::with_primary_and_backup().while_only(&["n2"], 2).expect(3, "n2", "");
}

#[test]
fn old_primary_becomes_backup() {
    let taken_over = Script::with_primary_and_backup().while_only(&["n2"], 2);
    taken_over.ping("n1", 2).expect(3, "n2", "").ping("n2", 3).expect(4, "n2", "n1");
}

#[test]
fn idle_third_server_becomes_backup() {
    let three = Script::with_primary_and_backup().ping("n3", 0).expect(2, "n1", "n2");
    three.while_only(&["n2", "n3"], 2).expect(3, "n2", "n3");
}

#[test]
fn waits_for_the_primary_to_acknowledge() {
    let unacknowledged = Script::new().ping("n1", 0).ping("n1", 1).ping("n2", 0);
    let dead = unacknowledged.while_only(&["n2"], 2).expect(2, "n1", "n2");
    // Alive, in the old view.
    let back = dead.ping("n1", 1).while_only(&["n1"], 1).expect(2, "n1", "n2");
    // n2 has been dead for a while.
    back.ping("n1", 2).expect(3, "n1", "");
}

#[test]
fn dead_backup_is_removed() {
    Script::with_primary_and_backup().while_only(&["n1"], 2).expect(3, "n1", "");
}

#[test]
fn dead_backup_is_replaced() {
    let three = Script::with_primary_and_backup().ping("n3", 0);
    three.while_only(&["n1", "n3"], 2).expect(3, "n1", "n3");
}

#[test]
fn uninitialised_server_is_not_promoted() {
    let three = Script::with_primary_and_backup().ping("n3", 0);
    three.while_only(&["n3"], 2).expect(2, "n1", "n2").ping("n2", 2).expect(3, "n2", "n3");
    let alone = Script::new().ping("n1", 0).ping("n1", 1);
    alone.while_only(&[], 0).ping("n2", 0).expect(1, "n1", "");
}

#[test]
fn dead_idle_server_is_not_made_backup() {
    let three = Script::with_primary_and_backup().ping("n3", 0);
    let only_two = three.while_only(&["n1", "n2"], 2).expect(2, "n1", "n2");
    only_two.while_only(&["n1"], 2).expect(3, "n1", "");
}

#[test]
fn consecutive_views_differ() {
    let mut script = Script::with_primary_and_backup().ping("n3", 0);
    let mut before = script.0.view().clone();
    for round in 0..200_u64 {
        let server = ["n1", "n2", "n3"][(round * round % 7 % 3) as usize];
        let num = script.0.view().num;
        script = script.ping(server, num);
        if round % 5 == 0 {
            script.0.tick();
        }
        let view = script.0.view().clone();
        if view != before {
            assert_eq!(view.num, before.num + 1);
            assert_ne!((&view.primary, &view.backup), (&before.primary, &before.backup));
            before = view;
        }
    }
    assert!(before.num > 10, "{before:?}");
}

/// MIT's lab: one that restarted without its state counts as dead though it pings.
#[test]
fn server_that_lost_its_state_counts_as_dead() {
    Script::with_primary_and_backup().ping("n1", 0).expect(3, "n2", "");
    Script::with_primary_and_backup().ping("n2", 0).expect(3, "n1", "");
    let alone = Script::new().ping("n1", 0).ping("n1", 1);
    alone.ping("n1", 0).ping("n2", 0).expect(1, "n1", "");
}

#[test]
fn backup_that_only_the_primary_misses_makes_room() {
    let mut script = Script::with_primary_and_backup();
    script.0.backup_is_silent(&"n1".to_owned(), 1);
    script = script.expect(2, "n1", "n2");
    script.0.backup_is_silent(&"n1".to_owned(), 2);
    script.expect(3, "n1", "");
}
