//! The operations that prove a violation, drawn: one lane a process, a bar from invocation to return.

use crate::axis::{decimals, duration, moment, nice, seconds};
use crate::chart::{CHAR_WIDTH, STRIP_HEIGHT, strip_into};
use crate::faults::Fault;
use crate::markup::{Markup, cut};
use crate::operations::{Outcome, Witness};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = 24.0;
/// A row of a lane: the label and its bar.
const ROW_HEIGHT: f64 = 38.0;
const BAR_HEIGHT: f64 = 13.0;
/// The order of two events is the proof, so it must be seen however close they are.
const SEGMENT_WIDTH_MIN: f64 = 10.0;
/// A long stretch in which nothing begins or ends is shown as a break this wide.
const BREAK_WIDTH: f64 = 72.0;
/// Stretches this much longer than the usual one, and this share of all shorter ones, are long.
const BREAK_FACTOR: f64 = 8.0;
const BREAK_SHARE: f64 = 0.2;
const LABEL_CHARS_MAX: usize = 46;
/// More operations than this are in the table only.
pub const OPERATIONS_MAX: usize = 60;
/// More faults than this are in the faults table only.
const FAULTS_MAX: usize = 8;

/// Time to pixels: linear between the operations' ends, with long empty stretches cut short.
struct Scale {
    stops: Vec<(u64, f64)>,
    /// The stretches cut short, by the position of their first stop.
    breaks: Vec<usize>,
    /// Pixels a second where nothing is cut.
    density: f64,
}

impl Scale {
    fn new(mut moments: Vec<u64>) -> Self {
        moments.sort_unstable();
        moments.dedup();
        let start = moments.first().copied().unwrap_or(0);
        if moments.len() < 2 {
            moments = vec![start, start.saturating_add(1_000_000)];
        }
        let gaps: Vec<f64> = moments.windows(2).map(|pair| seconds(pair[1] - pair[0])).collect();
        let mut sorted = gaps.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted[(sorted.len() - 1) / 2];
        // Each against those no longer than itself: two long stretches must not hide each other.
        let mut up_to = 0.0;
        let long = sorted.iter().copied().find(|gap| {
            up_to += gap;
            gaps.len() > 1 && *gap > BREAK_FACTOR * usual && *gap > BREAK_SHARE * up_to
        });
        let is_long = |gap: f64| long.is_some_and(|long| gap >= long);
        let breaks: Vec<usize> =
            (0..gaps.len()).filter(|&position| is_long(gaps[position])).collect();

        #[allow(clippy::cast_precision_loss)]
        let (segments, broken) = (gaps.len() as f64, breaks.len() as f64);
        // Room on the right for operations that stay open.
        let room = WIDTH - LEFT - RIGHT - 50.0 - broken * BREAK_WIDTH;
        let least = SEGMENT_WIDTH_MIN.min(0.5 * room / segments);
        let shown: f64 = gaps.iter().filter(|gap| !is_long(**gap)).sum();
        let density = (room - least * (segments - broken)) / shown.max(1e-9);
        let mut x = LEFT + 10.0;
        let mut stops = vec![(moments[0], x)];
        for (position, gap) in gaps.iter().enumerate() {
            x += if is_long(*gap) { BREAK_WIDTH } else { least + gap * density };
            stops.push((moments[position + 1], x));
        }
        Self { stops, breaks, density }
    }

    fn x(&self, ns: u64) -> f64 {
        let after = self.stops.partition_point(|(at, _)| *at <= ns);
        match (after.checked_sub(1).map(|before| self.stops[before]), self.stops.get(after)) {
            (Some((from, left)), Some(&(to, right))) => {
                left + (right - left) * seconds(ns - from) / seconds(to - from)
            }
            (None, Some((_, left))) => left - 10.0,
            (Some((_, right)), None) if ns > self.end_ns() => right + 40.0,
            (Some((_, right)), None) => right,
            (None, None) => LEFT,
        }
    }

    fn start_ns(&self) -> u64 {
        self.stops.first().map_or(0, |(at, _)| *at)
    }

    fn end_ns(&self) -> u64 {
        self.stops.last().map_or(0, |(at, _)| *at)
    }
}

/// A process's operations, each with the row of the lane it is drawn in.
struct Lane<'a> {
    process: u64,
    bars: Vec<(usize, &'a Witness, usize)>,
    rows: usize,
}

/// The moments between which the witness lies.
pub fn window_ns(witnesses: &[&Witness]) -> Option<(u64, u64)> {
    let start = witnesses.iter().map(|witness| witness.row.start_ns).min()?;
    let end = witnesses.iter().map(|witness| last_moment_ns(witness)).max()?;
    Some((start, end))
}

/// When an operation is known to be over; an unknown one is never, so its beginning counts.
fn last_moment_ns(witness: &Witness) -> u64 {
    let row = &witness.row;
    match row.outcome {
        Outcome::Ok | Outcome::Fail => row.end_ns.unwrap_or(row.start_ns),
        Outcome::Info | Outcome::Open => row.start_ns,
    }
}

/// The timeline of violation `number`, its witnesses in order of invocation.
pub fn render(number: usize, witnesses: &[&Witness], faults: &[&Fault], run_end_ns: u64) -> Markup {
    let witnesses = &witnesses[..witnesses.len().min(OPERATIONS_MAX)];
    let moments =
        witnesses.iter().flat_map(|witness| [witness.row.start_ns, last_moment_ns(witness)]);
    let scale = Scale::new(moments.collect());
    let lanes = lanes(witnesses, &scale);
    let faults = &faults[..faults.len().min(FAULTS_MAX)];

    #[allow(clippy::cast_precision_loss)]
    let top = 6.0 + faults.len() as f64 * STRIP_HEIGHT;
    let bottom = top + lanes.iter().map(lane_height).sum::<f64>();

    let mut svg = Markup::new();
    svg.push(
        "<div class='figure' tabindex='0' role='group' aria-label='Timeline of violation {}'><svg class='timeline' viewBox='0 0 {} {}'>",
        &[&number, &WIDTH, &(bottom + 34.0)],
    );
    for (position, fault) in faults.iter().enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let strip_top = 2.0 + STRIP_HEIGHT * position as f64;
        fault_into(&mut svg, fault, &scale, run_end_ns, strip_top, (top, bottom));
    }
    let mut lane_top = top;
    for lane in &lanes {
        lane_top = lane_into(&mut svg, number, lane, &scale, lane_top);
    }
    breaks_into(&mut svg, &scale, top, bottom);
    // After the breaks, which cut bars but must not cut words.
    lane_top = top;
    for lane in &lanes {
        lane_top = labels_into(&mut svg, lane, &scale, lane_top);
    }
    axis_into(&mut svg, &scale, bottom);
    svg.raw("</svg></div>");
    svg
}

fn label(position: usize, witness: &Witness) -> (String, String) {
    ((position + 1).to_string(), cut(&witness.row.label, LABEL_CHARS_MAX))
}

/// From where to where a bar is drawn.
fn extent(witness: &Witness, scale: &Scale) -> (f64, f64) {
    let left = scale.x(witness.row.start_ns);
    match witness.row.outcome {
        Outcome::Ok | Outcome::Fail => (left, scale.x(last_moment_ns(witness)).max(left + 3.0)),
        Outcome::Info | Outcome::Open => (left, WIDTH - 4.0),
    }
}

/// Where a label begins: over its bar's beginning, or as far left of it as the right edge demands.
fn label_left(position: usize, witness: &Witness, scale: &Scale) -> (f64, f64) {
    let (number, text) = label(position, witness);
    #[allow(clippy::cast_precision_loss)]
    let width = (number.chars().count() + text.chars().count() + 2) as f64 * CHAR_WIDTH * 1.1;
    let left = extent(witness, scale).0.min(WIDTH - 6.0 - width).max(LEFT);
    (left, left + width)
}

fn lanes<'a>(witnesses: &[&'a Witness], scale: &Scale) -> Vec<Lane<'a>> {
    let mut lanes: Vec<Lane<'a>> = Vec::new();
    for (position, witness) in witnesses.iter().enumerate() {
        let process = witness.row.process;
        let at = lanes.iter().position(|lane| lane.process == process).unwrap_or_else(|| {
            lanes.push(Lane { process, bars: Vec::new(), rows: 0 });
            lanes.len() - 1
        });
        lanes[at].bars.push((position, *witness, 0));
    }
    for lane in &mut lanes {
        // First row in which neither bar nor label touches what is there.
        let mut ends: Vec<f64> = Vec::new();
        for (position, witness, row) in &mut lane.bars {
            let (left, right) = extent(witness, scale);
            let (label_left, label_right) = label_left(*position, witness, scale);
            let (left, right) = (left.min(label_left), right.max(label_right));
            *row = ends.iter().position(|end| *end + 4.0 <= left).unwrap_or(ends.len());
            match ends.get_mut(*row) {
                Some(end) => *end = right,
                None => ends.push(right),
            }
        }
        lane.rows = ends.len();
    }
    lanes
}

fn lane_into(svg: &mut Markup, number: usize, lane: &Lane<'_>, scale: &Scale, top: f64) -> f64 {
    let bottom = top + lane_height(lane);
    svg.push(
        "<line class='grid' x1='0' x2='{}' y1='{}' y2='{}'/><text class='who' x='4' y='{}'>process {}</text>",
        &[&WIDTH, &bottom, &bottom, &(f64::midpoint(top, bottom) + 4.0), &lane.process],
    );
    for (position, witness, row) in &lane.bars {
        bar_into(svg, number, (*position, witness), scale, row_top(top, *row));
    }
    bottom
}

#[allow(clippy::cast_precision_loss)]
fn lane_height(lane: &Lane<'_>) -> f64 {
    lane.rows as f64 * ROW_HEIGHT + 8.0
}

#[allow(clippy::cast_precision_loss)]
fn row_top(lane_top: f64, row: usize) -> f64 {
    lane_top + 6.0 + row as f64 * ROW_HEIGHT
}

fn bar_into(
    svg: &mut Markup,
    number: usize,
    (position, witness): (usize, &Witness),
    scale: &Scale,
    top: f64,
) {
    let row = &witness.row;
    let (left, right) = extent(witness, scale);
    let ended = match (row.outcome, row.end_ns) {
        (Outcome::Ok | Outcome::Fail, Some(end)) => {
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
            &row.outcome.name(),
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
        &[&row.outcome.name(), &left, &(top + 18.0), &(right - left), &BAR_HEIGHT],
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
    top + lane_height(lane)
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
    #[allow(clippy::cast_precision_loss)]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_never_shown_backwards() {
        let cases: [&[u64]; 5] = [
            &[],
            &[5],
            &[0, 1, 2, 1_000_000_000, 1_000_000_001],
            &[0, u64::MAX],
            &[10, 20, 30, 40, 10_000, 20_000],
        ];
        for moments in cases {
            let scale = Scale::new(moments.to_vec());
            let xs: Vec<f64> = moments.iter().map(|at| scale.x(*at)).collect();
            assert!(xs.windows(2).all(|pair| pair[0] < pair[1]), "{moments:?} {xs:?}");
            assert!(xs.iter().all(|x| (LEFT..=WIDTH).contains(x)), "{moments:?} {xs:?}");
        }
    }

    #[test]
    fn order_is_visible_however_close() {
        let scale = Scale::new(vec![0, 1, 5_000_000_000, 10_000_000_000]);
        assert!(scale.x(1) - scale.x(0) >= SEGMENT_WIDTH_MIN);
    }

    #[test]
    fn only_an_extraordinary_gap_is_cut() {
        let ms = 1_000_000;
        assert!(Scale::new(vec![0, ms, 3 * ms, 5 * ms, 9 * ms]).breaks.is_empty());
        assert_eq!(Scale::new(vec![0, ms, 2 * ms, 9_000 * ms, 9_001 * ms]).breaks, [2]);
    }
}
