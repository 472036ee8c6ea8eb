//! A finding as boxes and arrows, for a report to draw.

use history::{Arrow, Picture, PictureBox};

use crate::{CycleStep, Finding, TxnWords, elision};

impl Finding {
    /// The transactions as boxes, the edges of the cycle as arrows, and the explanation: for the violation at this place
    /// of a result.
    #[must_use]
    pub fn picture(&self, violation: usize) -> Picture {
        let gap = elision::gap(self.left_out);
        let transaction = |(name, words): (String, &TxnWords)| PictureBox {
            title: format!("{name} · {}", words.who),
            text: words.what.clone(),
        };
        let mut boxes: Vec<PictureBox> = self.named().map(transaction).collect();
        if let Some(gap) = gap {
            let title = format!("… {} more", self.left_out);
            boxes.insert(gap, PictureBox { title, text: String::new() });
        }
        let arrow = |(at, step): (usize, &CycleStep)| {
            // Before and behind what is left out there are no arrows.
            let from = if gap.is_some_and(|gap| at + 1 >= gap) { at + 2 } else { at };
            Arrow {
                from,
                to: (from + 1) % boxes.len(),
                kind: step.dependency.to_string(),
                key: step.key.clone(),
                sentence: step.sentence(),
            }
        };
        let arrows = self.steps.iter().enumerate().map(arrow).collect();
        Picture { violation, boxes, arrows, explanation: self.explanation() }
    }
}
