//! The run over time as SVG: latency, throughput, and the faults above both. Drawn from buckets, so a chart's size
//! does not depend on the number of operations.

use record::Quantiles;

use crate::axis::{decimals, duration, milliseconds, nice, seconds};
use crate::faults::{Fault, Faults, family_class};
use crate::markup::{Markup, cut, grouped};
use crate::statistics::{Bucket, Series};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 16.0;
const PLOT_HEIGHT: f64 = 190.0;
/// A row of the fault strip.
pub const STRIP_HEIGHT: f64 = 18.0;
/// The width of a character of the charts' 11 px monospaced text, a little generous.
pub const CHAR_WIDTH: f64 = 6.8;
/// So many faults are drawn; the table has more.
const FAULTS_DRAWN_MAX: usize = 400;

/// What both charts share.
pub struct Chart<'a> {
    /// The end of the time axis.
    pub end_ns: u64,
    /// Drawn as bands.
    pub faults: &'a Faults,
    /// Where each phase began.
    pub phases: &'a [(u64, String)],
    /// Where each violation became visible: its number and time.
    pub violations: &'a [(usize, u64)],
}

/// The powers of ten, in milliseconds, between which the latencies lie: 1 to 10 ms where nothing succeeded.
#[allow(clippy::cast_possible_truncation)] // The logarithm of a finite number of milliseconds is small.
fn decades(series: &Series) -> (i32, i32) {
    let all = || series.buckets.iter().filter_map(|bucket| bucket.latency_ms);
    let Some(least) = all().map(|q| q.p50).reduce(f64::min) else { return (0, 1) };
    let most = all().map(|q| q.max).fold(least, f64::max);
    let low = least.max(1e-3).log10().floor() as i32;
    (low, (most.max(1e-3).log10().ceil() as i32).max(low + 1))
}

impl Chart<'_> {
    /// p50, p95, p99 and maximum of successful operations by time of invocation, on a logarithmic axis.
    pub fn latency(&self, series: &Series) -> Markup {
        let (low, high) = decades(series);
        let y = |ms: f64| {
            let share = (ms.max(1e-3).log10() - f64::from(low)) / f64::from(high - low);
            PLOT_HEIGHT * (1.0 - share.clamp(0.0, 1.0))
        };
        let tick = |decade: i32| {
            let ms = 10_f64.powi(decade);
            (y(ms), if decade < 3 { format!("{ms} ms") } else { format!("{} s", ms / 1e3) })
        };
        let ticks: Vec<(f64, String)> = (low..=high).map(tick).collect();
        let mut body = Markup::new();
        let x = |position: usize| self.x(middle_ns(position, series.width_ns));
        for stretch in stretches(&series.buckets) {
            let mut outline = Vec::new();
            outline.extend(stretch.iter().map(|(position, q)| (x(*position), y(q.p99))));
            outline.extend(stretch.iter().rev().map(|(position, q)| (x(*position), y(q.p50))));
            body.push("<path class='spread' d='{}z'/>", &[&path(&outline)]);
        }
        for (place, class) in ["p50", "p95", "p99"].into_iter().enumerate() {
            for stretch in stretches(&series.buckets) {
                let points: Vec<(f64, f64)> = stretch
                    .iter()
                    .map(|(position, q)| (x(*position), y([q.p50, q.p95, q.p99][place])))
                    .collect();
                body.push("<path class='line {}' d='{}'/>", &[&class, &path(&points)]);
            }
        }
        for (position, q) in stretches(&series.buckets).into_iter().flatten() {
            body.push(
                "<circle class='slowest' cx='{}' cy='{}' r='1.8'/>",
                &[&x(position), &y(q.max)],
            );
        }
        self.frame("Latency over time", &ticks, &body, series)
    }

    /// Operations completed a second, stacked: ok, fail, info.
    pub fn throughput(&self, series: &Series) -> Markup {
        let width_s = seconds(series.width_ns);
        #[allow(clippy::cast_precision_loss)]
        let rate = |count: u64| count as f64 / width_s;
        let most = series.buckets.iter().map(|bucket| bucket.completed.iter().sum()).max();
        let most = rate(most.unwrap_or(0)).max(1.0);
        let step = nice(most / 4.0);
        let top = (most / step).ceil() * step;
        let y = |rate: f64| PLOT_HEIGHT * (1.0 - rate / top);
        let mut ticks = Vec::new();
        let mut tick = 0.0;
        while tick <= top * 1.001 {
            ticks.push((y(tick), format!("{tick:.0$}/s", decimals(step))));
            tick += step;
        }
        let mut body = Markup::new();
        for (position, bucket) in series.buckets.iter().enumerate() {
            let start = series.width_ns.saturating_mul(position as u64);
            let left = self.x(start);
            let right = self.x(start.saturating_add(series.width_ns).min(self.end_ns));
            let width = (right - left - 0.6).max(0.6);
            let mut below = 0;
            for (count, class) in bucket.completed.into_iter().zip(["ok", "fail", "info"]) {
                let (from, to) = (y(rate(below)), y(rate(below + count)));
                below += count;
                if count > 0 {
                    // At least a pixel: one failure among thousands must not vanish.
                    let height = (from - to).max(1.2);
                    body.push(
                        "<rect class='bar {}' x='{}' y='{}' width='{}' height='{}'/>",
                        &[&class, &left, &(from - height), &width, &height],
                    );
                }
            }
        }
        self.frame("Throughput over time", &ticks, &body, series)
    }

    fn x(&self, ns: u64) -> f64 {
        let share = seconds(ns.min(self.end_ns)) / seconds(self.end_ns.max(1));
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn frame(
        &self,
        title: &'static str,
        ticks: &[(f64, String)],
        body: &Markup,
        series: &Series,
    ) -> Markup {
        let families = self.faults.families();
        #[allow(clippy::cast_precision_loss)]
        let top = 20.0 + STRIP_HEIGHT * families.len() as f64;
        let bottom = top + PLOT_HEIGHT;
        let mut svg = Markup::new();
        svg.push(
            "<div class='figure' tabindex='0' role='group' aria-label='{}'><svg class='chart' viewBox='0 0 {} {}' role='img' aria-label='{}'>",
            &[&title, &WIDTH, &(bottom + 28.0), &title],
        );
        self.faults_into(&mut svg, &families, top, bottom);
        svg.push("<g transform='translate(0 {})'>", &[&top]);
        for (y, text) in ticks {
            svg.push(
                "<line class='grid' x1='{}' x2='{}' y1='{}' y2='{}'/><text class='end' x='{}' y='{}'>{}</text>",
                &[&LEFT, &(WIDTH - RIGHT), y, y, &(LEFT - 8.0), &(y + 4.0), text],
            );
        }
        svg.append(body);
        self.hover_into(&mut svg, series);
        svg.raw("</g>");
        self.time_into(&mut svg, bottom);
        self.marks_into(&mut svg, bottom);
        svg.raw("</svg></div>");
        svg
    }

    /// One row a family above the plot; what took hold also tints the plot.
    fn faults_into(&self, svg: &mut Markup, families: &[&str], plot_top: f64, bottom: f64) {
        for (row, family) in families.iter().enumerate() {
            #[allow(clippy::cast_precision_loss)]
            let top = 16.0 + STRIP_HEIGHT * row as f64;
            svg.push(
                "<text class='end' x='{}' y='{}'>{}</text><line class='grid' x1='{}' x2='{}' y1='{}' y2='{}'/>",
                &[
                    &(LEFT - 8.0),
                    &(top + 12.0),
                    &cut(family, 10),
                    &LEFT,
                    &(WIDTH - RIGHT),
                    &(top + STRIP_HEIGHT / 2.0),
                    &(top + STRIP_HEIGHT / 2.0),
                ],
            );
            let of_family = self.faults.list.iter().filter(|fault| fault.family == *family);
            for fault in of_family.take(FAULTS_DRAWN_MAX / families.len()) {
                let Some((start, end)) = fault.span(self.end_ns) else { continue };
                let (left, right) = (self.x(start), self.x(end));
                if !fault.is_missed() {
                    svg.push(
                        "<rect class='band {}' x='{}' y='{}' width='{}' height='{}'/>",
                        &[
                            &family_class(family),
                            &left,
                            &plot_top,
                            &(right - left).max(1.0),
                            &(bottom - plot_top),
                        ],
                    );
                }
                strip_into(svg, fault, left, right, top);
            }
        }
    }

    /// Exact figures on hovering.
    fn hover_into(&self, svg: &mut Markup, series: &Series) {
        for (position, bucket) in series.buckets.iter().enumerate() {
            let start = series.width_ns.saturating_mul(position as u64);
            let end = start.saturating_add(series.width_ns);
            let (left, right) = (self.x(start), self.x(end));
            let [ok, fail, info] = bucket.completed.map(grouped);
            let latency = bucket.latency_ms.map_or_else(String::new, |q| {
                let [p50, p95, p99, max] = [q.p50, q.p95, q.p99, q.max].map(milliseconds);
                format!("\nlatency p50 {p50}, p95 {p95}, p99 {p99}, max {max} ms")
            });
            svg.push(
                "<rect class='hover' x='{}' y='0' width='{}' height='{}'><title>{} – {}\n{} ok, {} fail, {} info{}</title></rect>",
                &[&left, &(right - left).max(0.5), &PLOT_HEIGHT, &duration(start), &duration(end), &ok, &fail, &info, &latency],
            );
        }
    }

    fn time_into(&self, svg: &mut Markup, bottom: f64) {
        svg.push(
            "<line class='axis' x1='{}' x2='{}' y1='{}' y2='{}'/>",
            &[&LEFT, &(WIDTH - RIGHT), &bottom, &bottom],
        );
        let step = nice(seconds(self.end_ns) / 12.0);
        let mut tick = 0.0;
        while tick <= seconds(self.end_ns) {
            // Seconds back to nanoseconds: round numbers, far below 2⁵³.
            #[allow(clippy::cast_sign_loss)]
            let x = self.x((tick * 1e9) as u64);
            svg.push(
                "<line class='axis' x1='{}' x2='{}' y1='{}' y2='{}'/><text class='mid' x='{}' y='{}'>{} s</text>",
                &[&x, &x, &bottom, &(bottom + 5.0), &x, &(bottom + 19.0), &format!("{tick:.0$}", decimals(step))],
            );
            tick += step;
        }
    }

    /// Phases and violations along the top.
    fn marks_into(&self, svg: &mut Markup, bottom: f64) {
        // From the right: where two begin together, the later one lasts.
        let mut free = WIDTH;
        for (at, name) in self.phases.iter().rev() {
            let x = self.x(*at);
            svg.push("<line class='phase' x1='{}' x2='{}' y1='2' y2='{}'/>", &[&x, &x, &bottom]);
            let name = cut(name, 12);
            #[allow(clippy::cast_precision_loss)]
            let width = name.chars().count() as f64 * CHAR_WIDTH + 8.0;
            let left = if x + width <= WIDTH { x + 3.0 } else { x - width };
            if left + width <= free {
                svg.push("<text class='dim' x='{}' y='11'>{}</text>", &[&left, &name]);
                free = left;
            }
        }
        for (number, at) in self.violations {
            let x = self.x(*at);
            svg.push(
                "<a href='#violation-{}'><line class='mark' x1='{}' x2='{}' y1='14' y2='{}'/><path class='mark' d='M{} 14l-5 -9h10z'/><title>Violation {} at {}</title></a>",
                &[number, &x, &x, &bottom, &x, number, &crate::axis::moment(*at)],
            );
        }
    }
}

/// A fault's bar, with its name where there is room.
pub fn strip_into(svg: &mut Markup, fault: &Fault, left: f64, right: f64, top: f64) {
    let width = (right - left).max(3.0);
    let missed = if fault.is_missed() { " missed" } else { "" };
    let healed = if fault.healed_ns.is_some() || fault.is_missed() { "" } else { ", not healed" };
    svg.push(
        "<g class='strip {}{}'><title>Fault {}: {}{}{}\n{}</title><rect x='{}' y='{}' width='{}' height='{}' rx='3'/>",
        &[
            &fault.class(),
            &missed,
            &fault.number,
            &fault.name(),
            &missed,
            &healed,
            &cut(&fault.targets.join(", "), 200),
            &left,
            &(top + 2.0),
            &width,
            &(STRIP_HEIGHT - 4.0),
        ],
    );
    let names = [format!("{} {}{missed}", fault.number, fault.form), fault.number.to_string()];
    #[allow(clippy::cast_precision_loss)]
    let fitting = names.iter().find(|name| name.chars().count() as f64 * CHAR_WIDTH + 6.0 <= width);
    if let Some(name) = fitting {
        svg.push("<text x='{}' y='{}'>{}</text>", &[&(left + 4.0), &(top + 13.0), name]);
    }
    svg.raw("</g>");
}

fn middle_ns(position: usize, width_ns: u64) -> u64 {
    width_ns.saturating_mul(position as u64).saturating_add(width_ns / 2)
}

/// Runs of buckets with latencies: where nothing succeeded the lines break.
fn stretches(buckets: &[Bucket]) -> Vec<Vec<(usize, Quantiles)>> {
    let mut stretches = vec![Vec::new()];
    for (position, bucket) in buckets.iter().enumerate() {
        match (bucket.latency_ms, stretches.last_mut()) {
            (Some(quantiles), Some(stretch)) => stretch.push((position, quantiles)),
            (None, Some(stretch)) if !stretch.is_empty() => stretches.push(Vec::new()),
            _ => {}
        }
    }
    stretches.retain(|stretch| !stretch.is_empty());
    stretches
}

fn path(points: &[(f64, f64)]) -> Markup {
    let mut out = Markup::new();
    for (position, (x, y)) in points.iter().enumerate() {
        out.push(if position == 0 { "M{} {}" } else { "L{} {}" }, &[x, y]);
    }
    if points.len() == 1 {
        // A line of no length is not drawn; this one is a dot.
        out.raw("h0.1");
    }
    out
}
