import io

import numpy as np
import numpy.ma as ma
import numpy.typing
from numpy.polynomial import Polynomial

a = np.arange(12.0).reshape(3, 4)
print(np.linalg.svd(a @ a.T)[1].round(3).tolist(), np.fft.fft([1, 2, 3]).real.tolist())
print(np.random.default_rng(7).integers(0, 9, 5).tolist(), np.random.RandomState(7).rand(2).round(3).tolist())
stream = io.BytesIO()
np.savez_compressed(stream, a=a)
stream.seek(0)
print(np.load(stream)["a"].sum(), Polynomial([1, 2, 1]).roots().tolist(), ma.masked_less(a, 3).mean())
print(np.array(["2024-01-31"], "datetime64[D]") + 1, np.char.upper(np.array(["a"])), np.einsum("ij->j", a).tolist())
np.testing.assert_allclose(np.sin(np.pi), 0, atol=1e-9)
