import io

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.dataset as ds
import pyarrow.feather as feather
import pyarrow.parquet as pq

table = pa.table({"n": [1, 2, 3], "s": ["a", None, "c"]})
stream = io.BytesIO()
pq.write_table(table, stream, compression="zstd")
print(pq.read_table(io.BytesIO(stream.getvalue())).to_pydict(), pc.sum(table["n"]).as_py())
print(csv.read_csv(io.BytesIO(b"a,b\n1,x\n")).schema)
stream = io.BytesIO()
feather.write_feather(table, stream)
print(feather.read_table(io.BytesIO(stream.getvalue())).num_rows, ds.dataset(table).count_rows())
print(table.group_by("s").aggregate([("n", "sum")]).num_rows, pc.strptime(["2024-01-01"], "%Y-%m-%d", "s")[0])
