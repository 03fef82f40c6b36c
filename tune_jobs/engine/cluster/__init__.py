"""The cluster: started or joined, checked, and given the data that trials share."""
