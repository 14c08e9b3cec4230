import io
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

plt.style.use("ggplot")
figure, axes = plt.subplots(figsize=(4, 3))
axes.plot([1, 2, 3], [1, 4, 9], label="$x^2$")
axes.set_title("Grüße")
axes.legend()
for form in sys.argv[1:] or ["png", "svg", "pdf"]:
    stream = io.BytesIO()
    figure.savefig(stream, format=form)
    print(form, len(stream.getvalue()) > 1000)
