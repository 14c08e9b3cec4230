from flask import Flask, jsonify, render_template, url_for

app = Flask(__name__)


@app.route("/")
def index():
    return render_template("index.html", names=["Ann", "Bob"], style=url_for("static", filename="style.css"))


@app.route("/api/health")
def health():
    return jsonify(status="ok")


if __name__ == "__main__":
    app.run(debug=True)
