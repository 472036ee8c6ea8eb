//! Items grouped by a number, by counting sort: in linear time, each group in the order of arrival.

#[derive(Debug)]
pub(crate) struct Buckets<T> {
    starts: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy> Buckets<T> {
    /// So many buckets, and what belongs to each.
    pub(crate) fn new(count: usize, pairs: &[(u32, T)]) -> Self {
        let mut starts = vec![0_u32; count + 1];
        for (bucket, _) in pairs {
            starts[*bucket as usize + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        let mut next = starts.clone();
        let mut items: Vec<T> = pairs.iter().map(|&(_, item)| item).collect();
        for &(bucket, item) in pairs {
            items[next[bucket as usize] as usize] = item;
            next[bucket as usize] += 1;
        }
        Self { starts, items }
    }

    /// What so many things in so many buckets take, and what sorting them takes beside the pairs.
    pub(crate) fn bytes(count: usize, items: usize) -> usize {
        2 * (count + 1) * size_of::<u32>() + items * size_of::<T>()
    }

    pub(crate) fn of(&self, bucket: u32) -> &[T] {
        let start = self.starts[bucket as usize] as usize;
        &self.items[start..self.starts[bucket as usize + 1] as usize]
    }
}
