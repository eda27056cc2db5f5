-- MLflow's tables have a database of their own; a server in the compose file makes them when it starts.
create database mlflow;
