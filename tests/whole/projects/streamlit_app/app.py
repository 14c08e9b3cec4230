import pandas as pd
import streamlit as st

st.title("Numbers")
count = st.slider("How many", 1, 10, 3)
st.line_chart(pd.DataFrame({"n": range(count)}))
