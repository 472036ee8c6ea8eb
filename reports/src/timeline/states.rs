//! What the nodes were doing meanwhile: one thin lane each.

use crate::chart::CHAR_WIDTH;
use crate::markup::Markup;
use crate::states::{Span, State, StateLane};

use super::scale::Scale;
use super::{LEFT, WIDTH};

/// So many states of one node are drawn.
const SPANS_MAX: usize = 200;
/// The height of a lane.
pub const HEIGHT: f64 = 17.0;

/// Draws a lane a node from `top` on.
pub fn states_into(svg: &mut Markup, lanes: &[StateLane], scale: &Scale, top: f64) {
    for (position, lane) in lanes.iter().enumerate() {
        let top = top + HEIGHT * position as f64;
        let middle = top + HEIGHT / 2.0;
        svg.push(
            "<text class='who' x='4' y='{}'>{}</text><line class='grid' x1='{}' x2='{}' y1='{}' y2='{}'/>",
            &[&(middle + 4.0), &lane.name, &LEFT, &WIDTH, &middle, &middle],
        );
        let is_within =
            |span: &&Span| span.from_ns <= scale.end_ns() && span.to_ns >= scale.start_ns();
        for span in lane.spans.iter().filter(is_within).take(SPANS_MAX) {
            let left = if span.from_ns < scale.start_ns() { LEFT } else { scale.x(span.from_ns) };
            let right = if span.to_ns > scale.end_ns() { WIDTH } else { scale.x(span.to_ns) };
            let width = (right - left).max(2.0);
            let word = word(span.state);
            svg.push(
                "<rect class='state {}' x='{}' y='{}' width='{}' height='{}'><title>{} {}</title></rect>",
                &[&word, &left, &(top + 2.0), &width, &(HEIGHT - 4.0), &lane.name, &word],
            );
            if word.len() as f64 * CHAR_WIDTH + 8.0 <= width {
                svg.push("<text x='{}' y='{}'>{}</text>", &[&(left + 4.0), &(middle + 4.0), &word]);
            }
        }
    }
}

/// The word for a state, which is also its CSS class.
fn word(state: State) -> &'static str {
    match state {
        State::Leads => "leads",
        State::Paused => "paused",
        State::Killed => "killed",
        State::Ended => "ended",
        State::Starved => "starved",
    }
}
