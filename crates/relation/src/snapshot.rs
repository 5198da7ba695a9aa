use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use headwater_types::Scan;

/// All rows as of one published state. Never changes; cheap to clone.
#[derive(Clone, Debug)]
pub struct RelationSnapshot {}

impl Scan for RelationSnapshot {
    fn schema(&self) -> SchemaRef { todo!() }
    fn num_rows(&self) -> usize { todo!() }
    fn num_segments(&self) -> usize { todo!() }
    fn segment(&self, _index: usize, _projection: Option<&[usize]>) -> RecordBatch { todo!() }
}
