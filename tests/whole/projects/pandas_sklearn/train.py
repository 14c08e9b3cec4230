import io

import pandas as pd
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

data = load_iris(as_frame=True)
frame = data.frame
print(frame.groupby("target").mean().round(2).to_csv(lineterminator="\n"))
x, _, y, _ = train_test_split(data.data, data.target, random_state=0)
for model in (LogisticRegression(max_iter=500), RandomForestClassifier(10, random_state=0)):
    print(type(model).__name__, cross_val_score(make_pipeline(StandardScaler(), model), x, y, cv=3).mean().round(2))
times = pd.date_range("2024-03-30", periods=3, tz="Europe/Berlin")
print(pd.Series(range(3), index=times).resample("2D").sum(), pd.read_csv(io.StringIO("a;b\n1,5;x"), sep=";", decimal=","))
