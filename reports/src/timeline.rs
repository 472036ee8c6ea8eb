//! The operations that prove a violation, drawn: one lane a process, a bar from invocation to return.

mod lanes;
mod scale;
mod states;

use crate::axis::{decimals, duration, moment, nice, seconds};
use crate::chart::{CHAR_WIDTH, STRIP_HEIGHT, strip_into};
use crate::faults::Fault;
use crate::markup::{Markup, cut};
use crate::operations::{Ending, WitnessRow};
use crate::states::StateLane;

use lanes::{Lane, ROW_HEIGHT, extent, height, label, label_left, lanes, row_top};
use scale::Scale;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = 24.0;
const BAR_HEIGHT: f64 = 13.0;
/// More operations than this are in the table only.
pub const OPERATIONS_MAX: usize = 60;
/// More faults than this are in the faults table only.
const FAULTS_MAX: usize = 8;

/// The timeline of violation `number`, its witnesses in order of invocation; above them the nodes' `states`.
pub fn render(
    number: usize,
    witnesses: &[&WitnessRow],
    faults: &[&Fault],
    node_states: &[StateLane],
    run_end_ns: u64,
) -> Markup {
    let witnesses = &witnesses[..witnesses.len().min(OPERATIONS_MAX)];
    let moments =
        witnesses.iter().flat_map(|witness| [witness.row.start_ns, witness.last_moment_ns()]);
    let scale = Scale::new(moments.collect());
    let lanes = lanes(witnesses, &scale);
    let faults = &faults[..faults.len().min(FAULTS_MAX)];

    let top = 6.0 + faults.len() as f64 * STRIP_HEIGHT;
    let lanes_top = top + node_states.len() as f64 * states::HEIGHT;
    let bottom = lanes_top + lanes.iter().map(height).sum::<f64>();

    let mut svg = Markup::new();
    svg.push(
        "<div class='figure' tabindex='0' role='group' aria-label='Timeline of violation {}'><svg class='timeline' viewBox='0 0 {} {}'>",
        &[&number, &WIDTH, &(bottom + 34.0)],
    );
    for (position, fault) in faults.iter().enumerate() {
        let strip_top = 2.0 + STRIP_HEIGHT * position as f64;
        fault_into(&mut svg, fault, &scale, run_end_ns, strip_top, (top, bottom));
    }
    states::states_into(&mut svg, node_states, &scale, top);
    let mut lane_top = lanes_top;
    for lane in &lanes {
        lane_top = lane_into(&mut svg, number, lane, &scale, lane_top);
    }
    breaks_into(&mut svg, &scale, lanes_top, bottom);
    // After the breaks, which cut bars but must not cut words.
    lane_top = lanes_top;
    for lane in &lanes {
        lane_top = labels_into(&mut svg, lane, &scale, lane_top);
    }
    axis_into(&mut svg, &scale, bottom);
    svg.raw("</svg></div>");
    svg
}

fn lane_into(svg: &mut Markup, number: usize, lane: &Lane<'_>, scale: &Scale, top: f64) -> f64 {
    let bottom = top + height(lane);
    svg.push(
        "<line class='grid' x1='0' x2='{}' y1='{}' y2='{}'/><text class='who' x='4' y='{}'>process {}</text>",
        &[&WIDTH, &bottom, &bottom, &(f64::midpoint(top, bottom) + 4.0), &lane.process],
    );
    for (position, witness, row) in &lane.bars {
        bar_into(svg, number, (*position, witness), scale, row_top(top, *row));
    }
    bottom
}

fn bar_into(
    svg: &mut Markup,
    number: usize,
    (position, witness): (usize, &WitnessRow),
    scale: &Scale,
    top: f64,
) {
    let row = &witness.row;
    let (left, right) = extent(witness, scale);
    let ended = match (row.ending, row.end_ns) {
        (Ending::Ok | Ending::Fail, Some(end)) => {
            format!(
                "{} – {} ({})",
                moment(row.start_ns),
                moment(end),
                duration(end.saturating_sub(row.start_ns))
            )
        }
        (_, Some(end)) => {
            format!("{} – unknown; given up at {}", moment(row.start_ns), moment(end))
        }
        (_, None) => format!("{} – unknown", moment(row.start_ns)),
    };
    let height = ROW_HEIGHT - 4.0;
    svg.push(
        "<a class='operation' id='violation-{}-bar-{}' href='#violation-{}-row-{}' data-operation='{}'><title>{} ({})\n{}</title>",
        &[
            &number,
            &row.index,
            &number,
            &row.index,
            &row.index,
            &&*row.label,
            &row.ending.name(),
            &ended,
        ],
    );
    let (target_left, label_right) = label_left(position, witness, scale);
    let target_left = target_left.min(left);
    svg.push(
        "<rect class='target' x='{}' y='{}' width='{}' height='{}'/>",
        &[&target_left, &top, &(right.max(label_right) - target_left), &height],
    );
    svg.push(
        "<rect class='bar {}' x='{}' y='{}' width='{}' height='{}' rx='2'/></a>",
        &[&row.ending.name(), &left, &(top + 18.0), &(right - left), &BAR_HEIGHT],
    );
}

/// A lane's labels, each over its bar.
fn labels_into(svg: &mut Markup, lane: &Lane<'_>, scale: &Scale, top: f64) -> f64 {
    for (position, witness, row) in &lane.bars {
        let (number, text) = label(*position, witness);
        let (left, _) = label_left(*position, witness, scale);
        svg.push(
            "<text class='what' x='{}' y='{}'><tspan class='number'>{}</tspan> {}</text>",
            &[&left, &(row_top(top, *row) + 13.0), &number, &text],
        );
    }
    top + height(lane)
}

fn fault_into(
    svg: &mut Markup,
    fault: &Fault,
    scale: &Scale,
    run_end_ns: u64,
    strip_top: f64,
    (top, bottom): (f64, f64),
) {
    let Some((start, end)) = fault.span(run_end_ns) else { return };
    let left = if start < scale.start_ns() { LEFT } else { scale.x(start) };
    let right = if end > scale.end_ns() { WIDTH } else { scale.x(end) };
    svg.push(
        "<text class='who' x='4' y='{}'>{}</text>",
        &[&(strip_top + 13.0), &cut(&fault.family, 13)],
    );
    svg.push(
        "<rect class='band {}' x='{}' y='{}' width='{}' height='{}'/>",
        &[&fault.class(), &left, &top, &(right - left).max(1.0), &(bottom - top)],
    );
    strip_into(svg, fault, left, right, strip_top);
}

/// A slash through everything where time is cut short, with the time left out.
fn breaks_into(svg: &mut Markup, scale: &Scale, top: f64, bottom: f64) {
    for &position in &scale.breaks {
        let ((from, left), (to, right)) = (scale.stops[position], scale.stops[position + 1]);
        let middle = f64::midpoint(left, right);
        svg.push(
            "<path class='gap' d='M{} {}L{} {}'/><path class='gap-edge' d='M{} {}L{} {}M{} {}L{} {}'/>",
            &[
                &(middle + 5.0), &top, &(middle - 5.0), &(bottom + 5.0),
                &(middle + 1.0), &top, &(middle - 9.0), &(bottom + 5.0),
                &(middle + 9.0), &top, &(middle - 1.0), &(bottom + 5.0),
            ],
        );
        svg.push(
            "<text class='mid dim' x='{}' y='{}'>+ {}</text>",
            &[&middle, &(bottom + 31.0), &duration(to - from)],
        );
    }
}

fn axis_into(svg: &mut Markup, scale: &Scale, bottom: f64) {
    svg.push(
        "<line class='axis' x1='{}' x2='{}' y1='{}' y2='{}'/>",
        &[&LEFT, &WIDTH, &bottom, &bottom],
    );
    let step = nice(110.0 / scale.density.max(1e-9));
    // A tick at each end of every uncut stretch would crowd; round numbers and the stretches' beginnings do.
    let mut moments: Vec<(u64, bool)> = vec![(scale.start_ns(), true)];
    moments.extend(scale.breaks.iter().map(|&position| (scale.stops[position + 1].0, true)));
    for (position, pair) in scale.stops.windows(2).enumerate() {
        if !scale.breaks.contains(&position) {
            moments.extend(multiples(pair[0].0, pair[1].0, step).map(|at| (at, false)));
        }
    }
    // Exact moments first: they keep their place when a round number comes too close.
    moments.sort_by_key(|(at, exact)| (!exact, *at));
    let places = decimals(step).clamp(3, 6);
    let apart = (places + 7) as f64 * CHAR_WIDTH;
    let mut taken: Vec<f64> = Vec::new();
    for (at, _) in moments {
        let x = scale.x(at);
        if taken.iter().any(|other| (other - x).abs() < apart) {
            continue;
        }
        taken.push(x);
        svg.push(
            "<line class='axis' x1='{}' x2='{}' y1='{}' y2='{}'/><text class='mid' x='{}' y='{}'>{} s</text>",
            &[&x, &x, &bottom, &(bottom + 5.0), &x, &(bottom + 18.0), &format!("{:.*}", places, seconds(at))],
        );
    }
}

/// Multiples of `step_s` seconds between two moments, at most a few dozen.
#[allow(clippy::cast_sign_loss)]
fn multiples(from_ns: u64, to_ns: u64, step_s: f64) -> impl Iterator<Item = u64> {
    let step_ns = ((step_s * 1e9).round() as u64).max(1);
    let first = from_ns.div_ceil(step_ns).saturating_mul(step_ns);
    (0..64)
        .map(move |position| first.saturating_add(step_ns.saturating_mul(position)))
        .take_while(move |at| *at <= to_ns)
}
