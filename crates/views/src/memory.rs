use dbsp::RootCircuit;
use dbsp::circuit::CircuitBase;
use dbsp::circuit::metadata::{ALLOCATED_MEMORY_BYTES, MetaItem, OperatorMeta};

/// Roughly the memory that the state of a circuit's operators takes. Batches know their sizes, so this does not
/// look at rows.
pub(crate) fn state_bytes(circuit: &RootCircuit) -> usize {
    let mut total = 0;
    // The closure gives no error.
    let _ = circuit.map_nodes_recursive(&mut |node| {
        let mut meta = OperatorMeta::new();
        node.metadata(&mut meta);
        if let Some(MetaItem::Bytes(bytes)) = meta.get(ALLOCATED_MEMORY_BYTES) {
            total += usize::try_from(bytes.bytes).unwrap_or(usize::MAX);
        }
        Ok(())
    });
    total
}
