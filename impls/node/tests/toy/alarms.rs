//! A protocol that only sets timers: again, and in vain.

use contract::{NodeId, Request};
use node::{Effects, Protocol, Token};

#[derive(Debug, Default)]
pub struct Alarms {
    pub fired: Vec<String>,
}

/// What fires, in this order, once all is over.
pub const EXPECTED: [&str; 3] = ["first", "reset", "last"];

impl Protocol for Alarms {
    type Message = ();
    type Record = ();
    type Timer = String;

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        effects.set_timer("first".to_owned(), 10);
        effects.set_timer("reset".to_owned(), 20);
        effects.set_timer("reset".to_owned(), 60);
        effects.set_timer("cancelled".to_owned(), 30);
    }

    fn on_message(&mut self, _: &NodeId, (): (), _: &mut Effects<Self>) {}

    fn on_timer(&mut self, timer: String, effects: &mut Effects<Self>) {
        if timer == "first" {
            effects.cancel_timer("cancelled".to_owned());
            effects.set_timer("last".to_owned(), 100);
        }
        self.fired.push(timer);
    }

    fn on_request(&mut self, _: Token, _: Request, _: &mut Effects<Self>) {}

    fn is_ready(&self) -> bool {
        self.fired.last().is_some_and(|timer| timer == "last")
    }

    fn status(&self) -> serde_json::Value {
        serde_json::json!({ "fired": self.fired })
    }

    fn message_kind((): &()) -> &'static str {
        "Nothing"
    }
}
