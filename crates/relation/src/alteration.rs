use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::compute::{CastOptions, cast_with_options, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::util::display::FormatOptions;

use crate::relation::Relation;
use crate::segment::Segment;
use crate::shared::{Shared, State};

/// Where a column of altered rows comes from.
#[derive(Clone, Debug)]
pub enum ColumnSource {
    /// A column there was, by position; widened if its type is another now.
    Kept(usize),
    /// The same value in every row: an array of one element.
    Constant(ArrayRef),
}

/// A change of a relation's columns that keeps its rows: columns are added, dropped, widened, moved.
///
/// It is made beside the relation, a piece at a time while that goes on changing: rows that were converted are not
/// converted again, what changes meanwhile is. Dropping it leaves no trace.
#[derive(Debug)]
pub struct Alteration {
    schema: SchemaRef,
    key: Vec<usize>,
    columns: Vec<ColumnSource>,
    /// By place: a segment that was converted, and what it became.
    converted: Vec<Option<(Arc<Segment>, Arc<Segment>)>>,
}

impl Alteration {
    /// A change to rows of this schema: one source per column. `key` are the positions of the key columns there.
    ///
    /// # Panics
    /// If there is not one source per column.
    #[must_use]
    pub fn new(schema: SchemaRef, key: Vec<usize>, columns: Vec<ColumnSource>) -> Alteration {
        assert_eq!(schema.fields().len(), columns.len(), "each column has one source");
        Alteration { schema, key, columns, converted: Vec::new() }
    }

    /// The rows of a batch as they are afterwards.
    ///
    /// # Panics
    /// If a value cannot be held by its column's new type: only widening keeps rows.
    #[must_use]
    pub fn batch(&self, rows: &RecordBatch) -> RecordBatch {
        let column = |(source, field): (&ColumnSource, &Arc<arrow::datatypes::Field>)| match source {
            ColumnSource::Kept(from) => widened(rows.column(*from), field.data_type()),
            ColumnSource::Constant(value) => repeated(value, rows.num_rows()),
        };
        let columns = self.columns.iter().zip(self.schema.fields()).map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .expect("a column without NULL comes from one, or from a value that is not NULL")
    }

    /// Converts rows that were not, whole segments until it is at least so many. Returns how many it was: none if
    /// nothing is left to do before [`Alteration::finish`].
    pub fn convert(&mut self, relation: &Relation, rows: usize) -> usize {
        let segments = relation.segments();
        let mut done = 0;
        for (place, segment) in segments.iter() {
            if done >= rows {
                break;
            }
            if self.known(place, segment).is_none() {
                self.convert_segment(place, segment);
                done += segment.batch().num_rows();
            }
        }
        done
    }

    /// The altered relation, with the rows that the relation has now. Only what was not converted is; the index of
    /// a relation with a key is kept, and its hashes computed anew if a key column was widened.
    ///
    /// # Panics
    /// If the key would consist of other columns than it did.
    #[must_use]
    pub fn finish(mut self, relation: &Relation) -> Relation {
        let old = relation.shared();
        let same_key = self.keeps_key(old);
        let shared = if same_key {
            Shared::with_encoder(self.schema.clone(), self.key.clone(), Arc::clone(&old.encoder))
        } else {
            Shared::new(self.schema.clone(), self.key.clone())
        };
        let state = old.state.read();
        let segments = state.segments.map(|place, segment| match self.known(place, segment) {
            Some(known) => known,
            None => self.convert_segment(place, segment),
        });
        let index = state.index.as_ref().filter(|_| old.keyed).map(|index| {
            if same_key {
                return index.clone();
            }
            let mut rekeyed = index.without_heads();
            for (place, segment) in segments.iter() {
                let columns = shared.index_columns(segment.batch());
                let hashes = shared.hashes(&shared.encoder.encode(&columns));
                rekeyed.add_heads(place, segment.rows_in(None), &hashes);
            }
            rekeyed
        });
        *shared.state.write() = State { segments: Arc::new(segments), index, version: 0 };
        Relation::of(shared)
    }

    /// Whether the key columns are what they were, type for type.
    fn keeps_key(&self, old: &Shared) -> bool {
        if !old.keyed {
            assert!(self.key.is_empty(), "a relation without key gets none by an alteration");
            return false;
        }
        let source = |column: &usize| match self.columns[*column] {
            ColumnSource::Kept(from) => Some(from),
            ColumnSource::Constant(_) => None,
        };
        let sources: Vec<Option<usize>> = self.key.iter().map(source).collect();
        let before: Vec<Option<usize>> = old.key_columns().iter().copied().map(Some).collect();
        assert_eq!(sources, before, "the key consists of the columns that it did");
        let old_type = |column: &usize| old.schema.field(*column).data_type();
        let new_type = |column: &usize| self.schema.field(*column).data_type();
        old.key_columns().iter().map(old_type).eq(self.key.iter().map(new_type))
    }

    /// What a segment becomes, if its rows were converted. That rows died since makes them no others.
    fn known(&self, place: u32, segment: &Arc<Segment>) -> Option<Arc<Segment>> {
        let (from, to) = self.converted.get(place as usize)?.as_ref()?;
        if Arc::ptr_eq(from, segment) {
            return Some(Arc::clone(to));
        }
        from.has_rows_of(segment).then(|| Arc::new(segment.with_batch(to.batch().clone())))
    }

    fn convert_segment(&mut self, place: u32, segment: &Arc<Segment>) -> Arc<Segment> {
        let converted = Arc::new(segment.with_batch(self.batch(segment.batch())));
        if self.converted.len() <= place as usize {
            self.converted.resize(place as usize + 1, None);
        }
        self.converted[place as usize] = Some((Arc::clone(segment), Arc::clone(&converted)));
        converted
    }
}

fn widened(column: &ArrayRef, to: &DataType) -> ArrayRef {
    if column.data_type() == to {
        return Arc::clone(column);
    }
    let exact = CastOptions { safe: false, format_options: FormatOptions::default() };
    cast_with_options(column, to, &exact).expect("a column is only widened to a type that holds its values")
}

fn repeated(value: &ArrayRef, rows: usize) -> ArrayRef {
    if value.is_null(0) {
        return new_null_array(value.data_type(), rows);
    }
    take(value, &UInt32Array::from(vec![0; rows]), None).expect("the first of one element is there")
}
